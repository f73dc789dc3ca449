/** Stages made for those who name a template: how careful in how many days. Numbers for people to start from, never changed behind them: a definition holds the stages. */
import type { RolloutStage } from './rollout-definition.js';

export type RolloutTemplate = 'careful' | 'standard' | 'fast';

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

type Step = readonly [coverage: number, bakeSeconds: number, minUnits: number];

/** `careful` asks a person before the release; about 9, 4 and 1 days at least, plus the experiment's minimum run. */
const TEMPLATES: Readonly<Record<RolloutTemplate, readonly Step[]>> = {
  careful: [
    [0.01, DAY, 200],
    [0.05, DAY, 1_000],
    [0.1, DAY, 2_000],
    [0.25, 2 * DAY, 5_000],
    [0.5, 2 * DAY, 10_000],
    [1, 2 * DAY, 10_000],
  ],
  standard: [
    [0.01, 6 * HOUR, 100],
    [0.05, 12 * HOUR, 500],
    [0.25, DAY, 2_000],
    [0.5, DAY, 5_000],
    [1, DAY, 5_000],
  ],
  fast: [
    [0.05, 30 * MINUTE, 100],
    [0.25, 3 * HOUR, 500],
    [1, 20 * HOUR, 1_000],
  ],
};

export const stagesOfTemplate = (template: RolloutTemplate): readonly RolloutStage[] =>
  TEMPLATES[template].map(([coverage, bakeSeconds, minUnits], index, steps) => ({
    name: `stage-${index + 1}`,
    coverage,
    bakeSeconds,
    minUnits,
    requiresApproval: template === 'careful' && index === steps.length - 1,
    deadlineSeconds: null,
    monitored: true,
  }));
