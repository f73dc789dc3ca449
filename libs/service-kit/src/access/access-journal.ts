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
/** Between two takings: strangers must not fill our memory. What is more is counted. */
const MOST_ENTRIES = 2_000;
const MOST_KEYS = 100_000;

export class AccessJournal {
  private entries = new Map<string, AccessEntry>();
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
    this.add(entry.outcome === 'denied' ? sameDenial(entry) : `#${this.serial++}`, entry);
  }

  take(): { readonly uses: readonly KeyUse[]; readonly entries: readonly AccessEntry[] } {
    const taken = { uses: [...this.uses.values()], entries: [...this.entries.values()] };
    this.uses = new Map();
    this.entries = new Map();
    return taken;
  }

  /** What could not be told is told the next time. */
  giveBack({ uses, entries }: { readonly uses: readonly KeyUse[]; readonly entries: readonly AccessEntry[] }): void {
    for (const use of uses) if (!this.uses.has(use.key)) this.uses.set(use.key, use);
    for (const entry of entries) this.note(entry);
  }

  private add(key: string, entry: AccessEntry): void {
    const same = this.entries.get(key);
    if (same !== undefined) {
      const atUs = Math.min(same.atUs, entry.atUs);
      this.entries.set(key, { ...same, atUs, count: same.count + entry.count });
      return;
    }
    if (this.entries.size < MOST_ENTRIES || key === sameDenial(others(entry))) this.entries.set(key, entry);
    else this.add(sameDenial(others(entry)), others(entry));
  }
}

const sameDenial = ({ outcome, actor, action, code, address }: AccessEntry): string =>
  JSON.stringify([outcome, actor, action, code, address]);

/** What is left of an entry when there are too many. */
const others = ({ atUs, service, count, outcome }: AccessEntry): AccessEntry => ({
  ...{ atUs, service, count, outcome, action: '(others)', target: {}, status: 0 },
  ...{ actor: null, role: null, project: null, environment: null, code: null, requestId: null, address: null },
});
