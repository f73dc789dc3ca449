/** Up to which moment rows count once an experiment is decided: what was looked at when it was decided, so that the closed result is that verdict's for ever. */
import { DomainError } from '../errors.js';
import type { Run } from './experiment.js';

/** A decision record, as far as a closing goes by it. */
export interface ActedOnRecord {
  readonly id: string;
  readonly experiment: string;
  readonly environment: string;
  readonly comparison: number;
  /** W. */
  readonly knownUntilUs: number;
}

/** What was known about the experiment, in all environments and comparisons, when somebody decided. */
export interface ClosingEvidence {
  /** The record that was named; null: the newest look. */
  readonly record: ActedOnRecord | null;
  readonly looks: readonly { readonly environment: string; readonly comparison: number; readonly knownUntilUs: number }[];
}

interface Closing {
  readonly experiment: string;
  readonly environment: string;
  readonly run: Run;
  /** When it is decided: the moment where nothing was looked at. */
  readonly atUs: number;
}

/** @throws DomainError record-elsewhere */
export const closingMoment = ({ record, looks }: ClosingEvidence, { experiment, environment, run, atUs }: Closing): number => {
  const { comparison } = run.segments.at(-1) ?? run.segments[0];
  if (record !== null) {
    requireOfThis(record, { experiment, environment, comparison });
    return record.knownUntilUs;
  }
  // History has one look, whenever it is taken: all of it counts.
  if (run.kind === 'historical') return atUs;
  const ofThis = looks.filter((look) => look.environment === environment && look.comparison === comparison);
  return ofThis.length === 0 ? atUs : Math.max(...ofThis.map(({ knownUntilUs }) => knownUntilUs));
};

const requireOfThis = (record: ActedOnRecord, here: Pick<ActedOnRecord, 'experiment' | 'environment' | 'comparison'>): void => {
  const { experiment, environment, comparison } = here;
  if (record.experiment === experiment && record.environment === environment && record.comparison === comparison) return;
  const message = `record ${record.id} is of comparison ${record.comparison} of "${record.experiment}" in ${record.environment}, decided is comparison ${comparison} of "${experiment}" in ${environment}: name one of its own, or none to close at the newest look`;
  throw new DomainError('record-elsewhere', message, { path: '/record', record: record.id, experiment, environment, comparison });
};
