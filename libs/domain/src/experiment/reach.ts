/** Whom an experiment that Rampart assigns may reach: targeting, its share of a layer, its coverage. */
import { requireSoundCondition } from '../allocation/sound-condition.js';
import { DomainError } from '../errors.js';

export interface LayerShare {
  readonly key: string;
  /** Of the layer's units, each from its start up to but without its end; in [0, 1]. */
  readonly ranges: readonly (readonly [number, number])[];
}

interface Reach {
  readonly assignment: 'rampart' | 'external';
  readonly targeting?: Readonly<Record<string, unknown>> | undefined;
  readonly layer?: LayerShare | undefined;
  readonly coverage?: number | undefined;
}

/** @throws DomainError with the place */
export const requireSoundReach = ({ assignment, targeting, layer, coverage }: Reach): void => {
  const given = Object.entries({ targeting, layer, coverage }).find(([, value]) => value !== undefined)?.[0];
  // Whoever is assigned elsewhere is reached elsewhere.
  if (given !== undefined && assignment !== 'rampart') {
    const message = `${given} decides who is assigned, and this experiment's assignment is ${assignment}: make it rampart, or leave ${given} out`;
    throw new DomainError('reach-without-assignment', message, { path: `/${given}`, assignment });
  }
  if (targeting !== undefined) requireSoundCondition('targeting', targeting);
  if (layer !== undefined) requireRanges(layer);
};

const requireRanges = ({ key, ranges }: LayerShare): void => {
  ranges.forEach(([from, to], index) => {
    const path = `/layer/ranges/${index}`;
    if (from >= to) {
      const message = `range ${index + 1} of layer "${key}" goes from ${from} to ${to}: it holds nobody, its end must be greater`;
      throw new DomainError('layer-range-empty', message, { path, from, to });
    }
    const other = ranges.findIndex((range, place) => place < index && isOverlapping(range, [from, to]));
    if (other < 0) return;
    const message = `ranges ${other + 1} and ${index + 1} of layer "${key}" overlap ([${ranges[other]?.join(', ')}) and [${from}, ${to})): join them`;
    throw new DomainError('layer-ranges-overlap', message, { path });
  });
};

export const isOverlapping = ([from, to]: readonly [number, number], [start, end]: readonly [number, number]): boolean =>
  from < end && start < to;
