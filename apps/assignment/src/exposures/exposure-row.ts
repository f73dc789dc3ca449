/** An exposure as a row of the log: the same row whenever, wherever and however often it is made. */
import { hash } from 'node:crypto';
import type { FeedbackRow, InstantUs } from '@rampart/contracts';
import { type Pseudonyms, saidOfExposure, unitRows } from '@rampart/feedback-rows';
import type { ExposureKind, ExposureScope } from '../evaluation/exposures.js';
import type { CountedExposure } from '../evaluation/served-ruleset.js';

/** The source of every event that assignment makes: with the id it is the idempotency key, so it is forever. */
export const SOURCE = 'rampart/assignment';

/** What is told of a unit, apart from when: repeats have the same. @param unit  its pseudonym */
export const identityOf = ({ experiment, reason, segment, variant }: CountedExposure, kind: ExposureKind, unit: string): string =>
  `${kind}\0${experiment}\0${segment}\0${variant}\0${reason}\0${unit}`;

/** @param identity  `identityOf` the same exposure */
export const exposureRow = (
  told: CountedExposure,
  kind: ExposureKind,
  { identity, unitId, atUs }: { readonly identity: string; readonly unitId: string; readonly atUs: InstantUs },
  scope: ExposureScope,
  pseudonyms: Pseudonyms,
): FeedbackRow | undefined => {
  const { experiment, reason, segment, unitType, variant } = told;
  const data = { unit: { type: unitType, id: unitId }, experiment, variant, segment, reason };
  // No time of its own: it would be another event each time.
  const event = { specversion: '1.0', id: hash('sha256', identity, 'hex').slice(0, 32), source: SOURCE, type: `${kind}.v1`, data } as const;
  return unitRows(event, saidOfExposure(data), { at: atUs }, scope, pseudonyms)[0];
};
