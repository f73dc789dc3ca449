/** How old what is known is, also while nobody can say: it goes on ageing from what was known last. */
import type { InstantUs } from '@rampart/contracts';

export interface KnownHop {
  readonly hop: string;
  /** Null: not known now. */
  readonly ageMs: number | null;
}

/** An alarm on age must not fall silent when the store that is asked for it goes away. */
export class KnownAges {
  private readonly knownAtUs = new Map<string, InstantUs>();

  /**
   * @param hops  as they are known now; empty while nothing is
   * @returns seconds by hop, of every hop that was ever known
   */
  seconds(hops: readonly KnownHop[], nowUs: InstantUs): ReadonlyMap<string, number> {
    for (const { ageMs, hop } of hops) if (ageMs !== null) this.knownAtUs.set(hop, nowUs - ageMs * 1_000);
    return new Map([...this.knownAtUs].map(([hop, atUs]) => [hop, Math.max(0, nowUs - atUs) / 1e6]));
  }

  /** Somebody else knows it from now on. */
  forget(hop: string): void {
    this.knownAtUs.delete(hop);
  }
}
