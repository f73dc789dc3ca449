/** Which events an environment had in the day before a look: their silence means zero, not absence. */
import type { InstantUs } from '@rampart/contracts';
import type { ComparisonQuery } from '@rampart/feedback-store';
import type { Evidence } from './evidence.source.js';

const KNOWN_WITHIN_US = 24 * 3600 * 1_000_000;

/** Of a history: ever, up to its completion, since its days are long over. */
export const knownNames = async (
  evidence: Pick<Evidence, 'seenEvents' | 'knownEvents'>,
  { project, environment, historical, loggedUntilUs }: Pick<ComparisonQuery, 'project' | 'environment' | 'historical' | 'loggedUntilUs'>,
  knownUntilUs: InstantUs,
): Promise<ReadonlySet<string>> => {
  if (historical) return new Set((await evidence.seenEvents(project, environment, loggedUntilUs)).map((event) => event.name));
  return new Set(await evidence.knownEvents({ project, environment, afterUs: knownUntilUs - KNOWN_WITHIN_US, untilUs: knownUntilUs }));
};
