/** What is compared between a run with faults and one without. */
import { type LiveSetting, wholeResults } from '../journeys/live.js';
import type { Platform } from '../journeys/platform.js';

export interface Evidence {
  readonly digest: string;
  readonly stored: number;
  readonly sums: string;
}

/** When everything that was sent is stored and counted. */
export const evidenceOf = async (platform: Platform, setting: LiveSetting, sent: number): Promise<Evidence> => {
  const { evidenceDigest, population, sufficientStatistics } = await wholeResults(platform, setting, sent);
  return { digest: evidenceDigest, stored: population.duplicates.stored, sums: JSON.stringify(sufficientStatistics) };
};
