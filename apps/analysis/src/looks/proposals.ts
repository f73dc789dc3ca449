/** Records that were proposed and are not yet in `decisions.v1`: repeated until they are, or until another one took their place. */
import { Inject, Injectable } from '@nestjs/common';
import {
  type ComparisonPlace,
  comparisonKey,
  type DecisionRecord,
  type InstantUs,
  RECORD_PROPOSALS,
  type RecordProposal,
} from '@rampart/contracts';
import { latchedWith } from '@rampart/domain';
import { EventLog } from '@rampart/event-log';
import { LOG, type Log } from '@rampart/service-kit';
import { DecisionLog } from './decision-log.js';
import type { RecordHead } from './records.js';

interface Pending {
  readonly record: DecisionRecord;
  /** Monotonic. */
  readonly firstAtMs: number;
  lastAtMs: number;
}

export interface Continued {
  /** The newest appended record. */
  readonly head: RecordHead | undefined;
  /** A younger one is proposed. */
  readonly isPending: boolean;
  /** All crossings that a record holds or a look has seen. */
  readonly latched: DecisionRecord['latched'];
}

const REPEAT_MS = 3_000;
const GIVE_UP_MS = 60_000;

@Injectable()
export class Proposals {
  private readonly pending = new Map<string, Pending>();
  private readonly seen = new Map<string, DecisionRecord['latched']>();

  constructor(
    private readonly log: EventLog,
    private readonly decisions: DecisionLog,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  get count(): number {
    return this.pending.size;
  }

  /**
   * What the next look of the comparison, at `knownUntilUs`, continues. A crossing that was seen stands until a record holds it: its record may not be
   * appended yet, may be lost, or may wait for another one's answer.
   */
  newest(place: ComparisonPlace, knownUntilUs: InstantUs): Continued {
    const key = comparisonKey(place);
    const head = this.decisions.newest(place);
    const recorded = head?.latched ?? [];
    const latched = latchedWith(
      recorded,
      (this.seen.get(key) ?? []).filter((crossing) => crossing.knownUntilUs <= knownUntilUs),
    );
    return { head, isPending: this.pending.has(key), latched };
  }

  /** @param latched  all crossings up to and with a look */
  saw(place: ComparisonPlace, latched: DecisionRecord['latched']): void {
    const key = comparisonKey(place);
    if (latched.length > (this.decisions.newest(place)?.latched.length ?? 0)) this.seen.set(key, latched);
    else this.seen.delete(key);
  }

  async propose(records: readonly DecisionRecord[]): Promise<void> {
    const nowMs = performance.now();
    for (const record of records) this.pending.set(comparisonKey(record), { record, firstAtMs: nowMs, lastAtMs: nowMs });
    await this.send(records);
  }

  /** Forgets what was answered and repeats what was not. */
  async settle(): Promise<void> {
    const nowMs = performance.now();
    const repeated: DecisionRecord[] = [];
    for (const [key, pending] of this.pending) {
      const newest = this.decisions.newest(pending.record);
      if (this.decisions.has(pending.record.id)) this.pending.delete(key);
      else if ((newest?.id ?? null) !== pending.record.previous) this.lost(key, pending.record, `${newest?.id} was appended instead`);
      else if (nowMs - pending.firstAtMs > GIVE_UP_MS)
        this.lost(key, pending.record, 'it was not appended within a minute; the next look decides anew');
      else if (nowMs - pending.lastAtMs > REPEAT_MS) {
        pending.lastAtMs = nowMs;
        repeated.push(pending.record);
      }
    }
    await this.send(repeated);
  }

  private lost(key: string, { id }: DecisionRecord, why: string): void {
    this.pending.delete(key);
    this.lines.warn({ comparison: key, record: id, why }, 'a proposed decision record is dropped');
  }

  private async send(records: readonly DecisionRecord[]): Promise<void> {
    if (records.length === 0) return;
    const values = records.map((record): RecordProposal => ({ record }));
    await this.log.append(
      RECORD_PROPOSALS,
      values.map((value) => ({ partition: 0, value: JSON.stringify(value) })),
    );
  }
}
