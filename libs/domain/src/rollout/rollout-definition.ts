/** A rollout's definition, and what must be true of any: stages that only rise, each with the gates that lead out of it. */
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { requireSlug } from '../tenancy/slug.js';

export interface RolloutStage {
  readonly name: string;
  /** Share of the eligible units that takes part, both arms together. */
  readonly coverage: number;
  /** The shortest time at this stage: its look must know everything up to its end. */
  readonly bakeSeconds: number;
  /** Exposed units, both arms together. */
  readonly minUnits: number;
  readonly requiresApproval: boolean;
  readonly deadlineSeconds: number | null;
  /** False: only time, units and approval; harm rolls back all the same. */
  readonly monitored: boolean;
}

export interface RolloutDefinition {
  readonly key: string;
  readonly name: string;
  readonly experiment: string;
  readonly environment: string;
  readonly stages: readonly RolloutStage[];
  /** A look older than this is missing data. */
  readonly freshnessSeconds: number;
  /** `shadow`: say what would have been done, and do nothing. */
  readonly mode: 'act' | 'shadow';
}

const MOST_STAGES = 20;

/** @throws DomainError with the place of what could never work */
export const requireSoundRollout = ({ key, stages }: RolloutDefinition): void => {
  requireSlug('rollout', key);
  if (stages.length < 1 || stages.length > MOST_STAGES)
    throw new DomainError(
      'stage-count',
      `a rollout has 1 to ${MOST_STAGES} stages, this one ${stages.length}: leave some out, or add one`,
      {
        path: '/stages',
      },
    );
  stages.forEach((stage, index) => {
    requireOwnName(stages, stage, index);
    requireRising(stages[index - 1], stage, index);
    requireTimeToBake(stage, index);
  });
  const last = stages.length - 1;
  if (stages[last]?.monitored !== false) return;
  const message = `stage ${last + 1} of ${stages.length} is not monitored, but the last one ends in the release, which takes a verdict: monitor it, or add one that is`;
  throw new DomainError('last-stage-unmonitored', message, { path: `/stages/${last}/monitored` });
};

const requireOwnName = (stages: readonly RolloutStage[], { name }: RolloutStage, index: number): void => {
  requireSlug('stage', name);
  const first = stages.findIndex((stage) => stage.name === name);
  if (first === index) return;
  const message = `stages ${first + 1} and ${index + 1} are both called "${name}": verdicts go by the name, give each its own`;
  throw new DomainError('stage-twice', message, { path: `/stages/${index}/name`, stage: name });
};

const requireRising = (before: RolloutStage | undefined, { coverage, name }: RolloutStage, index: number): void => {
  if (before === undefined || coverage >= before.coverage) return;
  const message = `stage "${name}" has coverage ${percent(coverage)}, the one before it ${percent(before.coverage)}: a ramp only rises, since units that leave would be lost to the comparison; roll back instead`;
  throw new DomainError('coverage-falls', message, { path: `/stages/${index}/coverage`, coverage, before: before.coverage });
};

const requireTimeToBake = ({ name, bakeSeconds, deadlineSeconds }: RolloutStage, index: number): void => {
  if (deadlineSeconds === null || deadlineSeconds > bakeSeconds) return;
  const message = `stage "${name}" has a deadline of ${durationText(deadlineSeconds)} and a bake time of ${durationText(bakeSeconds)}: it would be held before it could advance; make the deadline longer`;
  throw new DomainError('deadline-before-bake-time', message, { path: `/stages/${index}/deadlineSeconds`, deadlineSeconds, bakeSeconds });
};

/** What has begun stays as it was: people and verdicts went by it. @param begun  index of the stage in force */
export const requireSameBeginning = (was: RolloutDefinition, is: RolloutDefinition, begun: number): void => {
  for (const field of ['experiment', 'environment'] as const) {
    if (was[field] === is[field]) continue;
    const message = `rollout "${was.key}" moves ${field} "${was[field]}" and has begun: it can't go to "${is[field]}"; roll it back, and define another one`;
    throw new DomainError('rollout-begun', message, { path: `/${field}`, rollout: was.key });
  }
  const changed = was.stages.findIndex((stage, index) => index <= begun && !isEqual(stage, is.stages[index]));
  if (changed < 0) return;
  const message = `stage ${changed + 1} ("${was.stages[changed]?.name}") of rollout "${was.key}" has begun, it is at stage ${begun + 1} of ${was.stages.length}: only later ones can be changed`;
  throw new DomainError('stage-begun', message, { path: `/stages/${changed}`, rollout: was.key, stage: begun });
};

export const percent = (share: number): string => `${Number((share * 100).toPrecision(6))} %`;

/** Like "1 h 30 min": the two largest units. */
export const durationText = (seconds: number): string => {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  const told = first < 0 ? [] : parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return told.length === 0 ? '0 s' : told.map(([amount, unit]) => `${amount} ${unit}`).join(' ');
};
