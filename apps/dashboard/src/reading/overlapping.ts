/** Experiments that may have the same units: those begun in the environment that are about the same type of unit. */
import type { ExperimentDocument } from '../access/documents.js';

export const overlapping = (
  all: readonly ExperimentDocument[],
  { key: own, definition: { unitType } }: Pick<ExperimentDocument, 'key' | 'definition'>,
  environment: string,
): readonly ExperimentDocument[] =>
  all.filter(({ key, definition, environments }) => {
    const run = environments[environment];
    return key !== own && definition.unitType === unitType && run !== undefined && run.status !== 'draft';
  });
