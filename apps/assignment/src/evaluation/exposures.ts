/** Where evaluations leave what they told: durable before the answer, wherever that is. */
import type { Unit } from '@rampart/assignment';
import type { CountedExposure, ServedRuleset } from './served-ruleset.js';

export type ExposureKind = 'exposure' | 'assignment';

export interface ExposureScope extends Pick<ServedRuleset, 'project' | 'environment'> {
  readonly keyId: string;
}

export abstract class Exposures {
  /**
   * @returns undefined when there is nothing to wait for; else what resolves to true when all of it is durable, to false when some was dropped, and
   * counted as such. Never rejects: who asks for a variant gets one.
   */
  abstract keep(told: readonly CountedExposure[], kind: ExposureKind, unit: Unit, scope: ExposureScope): Promise<boolean> | undefined;
}
