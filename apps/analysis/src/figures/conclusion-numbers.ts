/** What a verdict was made of, by name, in digits that every machine writes alike. */
import type { Comparison } from '@rampart/contracts';
import { type ErrorBudget, type Evidence, isWatched, type Look } from '@rampart/domain';
import { decidingComparisons } from './corrected-for-many.js';
import type { Figures } from './look-of-results.js';

type Named = readonly [name: string, value: number | null | undefined];

/** @returns numbers to 12 significant digits, sorted by name; what there is no number for is left out */
export const numbersOf = (look: Look, figures: Figures, budget: ErrorBudget): Readonly<Record<string, string>> => {
  const named = [
    ...budgetNumbers(look, budget),
    ...qualityNumbers(figures),
    ...figures.metrics.flatMap(metricNumbers),
    ...testNumbers(look),
  ];
  const texts = named.flatMap(([name, value]) => (value === null || value === undefined ? [] : [[name, digits(value)] as const]));
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
};

const digits = (value: number): string => String(Number(value.toPrecision(12)));

const budgetNumbers = ({ plan }: Look, { harm, superiority, nonInferiority, ratioAlarmAtE }: ErrorBudget): readonly Named[] => [
  ['level/harm', harm],
  ['level/non-inferiority', nonInferiority],
  // Holm has a level a test; what it steps down from is the plan's.
  ...(isWatched(plan.method)
    ? ([
        ['level/ratio-alarm-at-e', ratioAlarmAtE],
        ['level/superiority', superiority],
      ] as const)
    : []),
];

const qualityNumbers = ({ srm, population }: Figures): readonly Named[] => [
  ['sample-ratio/p', 'refused' in srm.test ? null : srm.test.p],
  ['sample-ratio/log-e', srm.anytime?.logE],
  ['units/counted', population.counted],
  ['units/two-arms', population.rows.reduce((sum, row) => sum + row.excluded['two-arms'], 0)],
];

const metricNumbers = (result: Figures['metrics'][number]): readonly Named[] => {
  if (result.role === 'secondary') return [];
  const units = result.arms.map(({ arm, n }): Named => [`metric/${result.metric}/${arm}/units`, n]);
  return [...units, ...decidingComparisons(result).flatMap((comparison) => effectNumbers(result.metric, comparison))];
};

const effectNumbers = (metric: string, { treatment, control, absolute, relative }: Comparison): readonly Named[] => {
  const name = `metric/${metric}/${treatment}-${control}`;
  const of = (scale: string, effect: Comparison['absolute']): readonly Named[] =>
    'refused' in effect
      ? []
      : [
          [`${name}/${scale}/estimate`, effect.estimate],
          [`${name}/${scale}/se`, effect.se],
        ];
  return [...of('absolute', absolute), ...of('relative', relative)];
};

const testNumbers = ({ metrics }: Look): readonly Named[] =>
  metrics.flatMap(({ metric, arms }) =>
    arms.flatMap((test): readonly Named[] => {
      if (test.kind !== 'tested') return [];
      const name = `test/${metric}/${test.arm}`;
      const margin = test.nonInferiority;
      return [
        ...evidenceNumbers(`${name}/better`, test.better),
        ...evidenceNumbers(`${name}/worse`, test.worse),
        ...(margin?.kind === 'tested' ? evidenceNumbers(`${name}/margin`, margin.evidence) : []),
        [`${name}/could-lose`, test.couldLose],
        [`${name}/erring/control`, test.firstError?.control],
        [`${name}/erring/treatment`, test.firstError?.treatment],
      ];
    }),
  );

const evidenceNumbers = (name: string, evidence: Evidence): readonly Named[] => {
  switch (evidence.kind) {
    case 'p':
      return [[`${name}/p`, evidence.p]];
    case 'e':
      return [[`${name}/log-e`, evidence.logE]];
    case 'bound':
      return [
        [`${name}/bound`, evidence.bound],
        [`${name}/look`, evidence.look],
        [`${name}/z`, evidence.statistic],
      ];
    case 'posterior':
      return [
        [`${name}/chance`, evidence.chance],
        [`${name}/expected-loss`, evidence.expectedLoss],
      ];
    case 'none':
      return [];
  }
};
