/** What is to be told about who asked for what: which keys were used, and every command and refusal. Collected here, taken by whoever has a log. */

export type AccessOutcome = 'done' | 'denied' | 'refused' | 'failed';

export interface AccessEntry {
  /** Microseconds since the epoch; of the first, where several are told as one. */
  readonly atUs: number;
  readonly service: string;
  /** `denied`: by key, role or reach. `refused`: by a rule. `failed`: by us. */
  readonly outcome: AccessOutcome;
  /** Id of the key; null: no key that is known. */
  readonly actor: string | null;
  readonly role: string | null;
  readonly project: string | null;
  readonly environment: string | null;
  /** Method and template of the route, never a query or a body: they may hold what is nobody's business. */
  readonly action: string;
  readonly target: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string | null;
  readonly requestId: string | null;
  /** Of the client, as the nearest proxy saw it. */
  readonly address: string | null;
  readonly count: number;
}

export interface KeyUse {
  readonly key: string;
  readonly atUs: number;
}

/** A key in use is told again after so long: last uses are exact to this. */
const TELL_USE_EVERY_US = 30_000_000;
/** Between two takings. What is more is counted. */
const MOST_ENTRIES = 2_000;
/**
 * Whoever has no key, or one that everybody may have, must not fill our memory or anybody's disk: their denials are told by address and code, so many at
 * once, and each time that it was taken so often.
 */
const MOST_STRANGERS = 50;
const STRANGERS_EVERY = 10;
const MOST_KEYS = 100_000;

export class AccessJournal {
  private entries = new Map<string, AccessEntry>();
  private strangers = new Map<string, AccessEntry>();
  private taken = 0;
  private uses = new Map<string, KeyUse>();
  private readonly toldUs = new Map<string, number>();
  private serial = 0;

  used(key: string, atUs: number): void {
    const told = this.toldUs.get(key);
    if (told !== undefined && atUs - told < TELL_USE_EVERY_US) return;
    if (this.toldUs.size >= MOST_KEYS) this.toldUs.clear();
    this.toldUs.set(key, atUs);
    this.uses.set(key, { key, atUs });
  }

  note(entry: AccessEntry): void {
    if (entry.outcome !== 'denied') this.put(this.entries, `#${this.serial++}`, entry);
    else if (entry.actor !== null && entry.role !== 'client') this.put(this.entries, sameDenial(entry), entry);
    else this.noteStranger(entry);
  }

  /** @param all  nothing may be left for another time */
  take(all = false): AccessReport {
    this.taken += 1;
    const withStrangers = all || this.taken % STRANGERS_EVERY === 0;
    const strangers = withStrangers ? [...this.strangers.values()] : [];
    if (withStrangers) this.strangers = new Map();
    const report = { uses: [...this.uses.values()], entries: [...this.entries.values(), ...strangers] };
    this.uses = new Map();
    this.entries = new Map();
    return report;
  }

  /** What could not be told is told the next time. */
  giveBack({ uses, entries }: AccessReport): void {
    for (const use of uses) if (!this.uses.has(use.key)) this.uses.set(use.key, use);
    for (const entry of entries) this.note(entry);
  }

  private noteStranger(entry: AccessEntry): void {
    const key = JSON.stringify([entry.actor, entry.code, entry.address]);
    const same = this.strangers.get(key);
    if (same !== undefined && same.action !== entry.action) this.strangers.set(key, { ...same, action: SEVERAL, target: {} });
    if (same !== undefined) this.put(this.strangers, key, entry);
    else if (this.strangers.size < MOST_STRANGERS) this.strangers.set(key, entry);
    else this.put(this.strangers, OTHERS, others(entry));
  }

  private put(entries: Map<string, AccessEntry>, key: string, entry: AccessEntry): void {
    const same = entries.get(key);
    if (same !== undefined) entries.set(key, { ...same, atUs: Math.min(same.atUs, entry.atUs), count: same.count + entry.count });
    else if (entries.size < MOST_ENTRIES || key.startsWith(OTHERS)) entries.set(key, entry);
    else this.put(entries, OTHERS + entry.outcome, others(entry));
  }
}

export interface AccessReport {
  readonly uses: readonly KeyUse[];
  readonly entries: readonly AccessEntry[];
}

const OTHERS = '(others)';
const SEVERAL = '(several routes)';

const sameDenial = ({ actor, action, code, address }: AccessEntry): string => JSON.stringify([actor, action, code, address]);

/** What is left of an entry when there are too many. */
const others = ({ atUs, service, count, outcome }: AccessEntry): AccessEntry => ({
  ...{ atUs, service, count, outcome, action: OTHERS, target: {}, status: 0 },
  ...{ actor: null, role: null, project: null, environment: null, code: null, requestId: null, address: null },
});
