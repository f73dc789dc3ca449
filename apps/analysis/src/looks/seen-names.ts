/** Which events an environment had in the day before a look: their silence means zero, not absence. */
import type { ComparisonPlace, InstantUs } from '@rampart/contracts';
import type { Evidence, SeenEvent } from '../results/evidence.source.js';

/** An event of this name within a day before the look says that silence means zero. */
export const SEEN_WITHIN_US = 24 * 3600 * 1_000_000;

/** Names come rarely, looks often: the store is asked again after this long. */
const KEPT_MS = 10_000;

export const namesBefore = (seen: readonly SeenEvent[], knownUntilUs: InstantUs, historical: boolean): ReadonlySet<string> => {
  const freshFromUs = historical ? Number.NEGATIVE_INFINITY : knownUntilUs - SEEN_WITHIN_US;
  return new Set(seen.filter((event) => event.lastAtUs >= freshFromUs).map((event) => event.name));
};

export class SeenNames {
  private readonly kept = new Map<string, { readonly seen: readonly SeenEvent[]; readonly askedAtMs: number }>();

  constructor(private readonly evidence: Pick<Evidence, 'seenEvents'>) {}

  async before({ project, environment }: ComparisonPlace, knownUntilUs: InstantUs, historical: boolean): Promise<ReadonlySet<string>> {
    const key = `${project}/${environment}`;
    const kept = this.kept.get(key);
    const isFresh = kept !== undefined && performance.now() - kept.askedAtMs < KEPT_MS;
    const seen = isFresh ? kept.seen : await this.evidence.seenEvents(project, environment);
    if (!isFresh) this.kept.set(key, { seen, askedAtMs: performance.now() });
    return namesBefore(seen, knownUntilUs, historical);
  }
}
