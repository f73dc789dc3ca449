/** Rows of `feedback.v1`, made in one way wherever an event comes from: one per unit that it names, with pseudonym and digest. */
import type { CloudEvent, ExposureReason, FeedbackRow, InstantUs, RowKind } from '@rampart/contracts';
import { digestOf } from './digest.js';
import type { Pseudonyms } from './pseudonyms.js';

/** An event that names units: every one but the end of an import. */
export type UnitEvent = Exclude<CloudEvent, { type: 'import.completed.v1' }>;
export type ExposureEvent = Extract<UnitEvent, { type: 'exposure.v1' | 'assignment.v1' }>;

/** Where rows belong, and the key that sent their event. */
export interface RowScope {
  readonly project: string;
  readonly environment: string;
  readonly keyId: string;
}

export interface RowTimes {
  readonly at: InstantUs;
  /** Historical environments only. */
  readonly knownAt?: InstantUs;
}

/** What an event says, whoever it is about. */
export interface Said {
  readonly name: string;
  readonly content: Pick<FeedbackRow, 'value' | 'variant' | 'segment' | 'reason'> | undefined;
}

type ReportedExposure = Pick<ExposureEvent['data'], 'experiment' | 'variant' | 'segment'> & {
  readonly reason?: ExposureReason | undefined;
};

const KINDS: Readonly<Record<UnitEvent['type'], RowKind>> = {
  'metric.v1': 'metric',
  'feedback.v1': 'feedback',
  'exposure.v1': 'exposure',
  'assignment.v1': 'assignment',
};

/** A report that does not say why its unit has the variant is `unknown`. */
export const saidOfExposure = ({ experiment, variant, segment, reason = 'unknown' }: ReportedExposure): Said => ({
  name: experiment,
  content: segment === undefined ? { variant, reason } : { variant, segment, reason },
});

/** @returns at least one row; a unit named twice is one unit */
export const unitRows = (event: UnitEvent, said: Said, times: RowTimes, scope: RowScope, pseudonyms: Pseudonyms): FeedbackRow[] => {
  const { data } = event;
  const row = (unitType: string, unitId: string): FeedbackRow => ({
    kind: KINDS[event.type],
    project: scope.project,
    environment: scope.environment,
    name: said.name,
    unitType,
    unit: pseudonyms.of(scope.project, unitType, unitId),
    source: event.source,
    id: event.id,
    at: times.at,
    ...(times.knownAt === undefined ? undefined : { knownAt: times.knownAt }),
    ...said.content,
    ...(data.properties === undefined ? undefined : { properties: data.properties }),
    digest,
    key: scope.keyId,
  });
  const digest = digestOf(event);
  const first = row(data.unit.type, data.unit.id);
  if (data.also === undefined || data.also.length === 0) return [first];
  const rows = [first];
  for (const { type, id } of data.also) {
    const next = row(type, id);
    if (!rows.some(({ unit, unitType }) => unit === next.unit && unitType === next.unitType)) rows.push(next);
  }
  return rows;
};
