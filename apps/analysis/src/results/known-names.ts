/** Which events an environment had in the day before a look: their silence means zero, not absence. */
import type { InstantUs } from '@rampart/contracts';
import type { Evidence } from './evidence.source.js';

const KNOWN_WITHIN_US = 24 * 3600 * 1_000_000;

/** Of a history: ever, since its days are long over. */
export const knownNames = async (
  evidence: Pick<Evidence, 'seenEvents' | 'knownEvents'>,
  { project, environment, historical }: { readonly project: string; readonly environment: string; readonly historical: boolean },
  knownUntilUs: InstantUs,
): Promise<ReadonlySet<string>> => {
  if (historical) return new Set((await evidence.seenEvents(project, environment)).map((event) => event.name));
  return new Set(await evidence.knownEvents({ project, environment, afterUs: knownUntilUs - KNOWN_WITHIN_US, untilUs: knownUntilUs }));
};
