/** Effects by the arm that units have in another experiment, and whether they differ: to show, never to decide on. */
import type { AnytimeEffect, Comparison, DimensionValue, Effect, Interaction, MetricInteraction, Refusal } from '@rampart/contracts';
import { type ComparisonQuery, type ComparisonSums, stratumOf } from '@rampart/feedback-store';
import { adjustPValues, asymptoticConfidenceSequence, BURN_IN, effectInteraction, independenceChiSquare } from '@rampart/statistics';
import { armsOf, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { anytimeTuning } from './anytime.js';
import { breakdownOf } from './breakdown.js';
import { decidingComparisons } from './corrected-for-many.js';
import { SMALLEST_EXPECTATION } from './population.js';

export interface Interacting {
  readonly definition: DefinitionInForce;
  readonly query: Pick<ComparisonQuery, 'cells'>;
  readonly other: DefinitionInForce;
  /** By the arms of the other experiment. */
  readonly sums: ComparisonSums;
}

export const interactionOf = ({ definition, query, other, sums }: Interacting): Interaction => {
  const armsThere = armsOf(other.experiment);
  const values = armsThere.map((value) => ({ value, units: 0 }));
  const { values: arms } = breakdownOf({ definition, query, property: other.experiment.key, values, sums });
  const independence = independenceOf(armsOf(definition.experiment), armsThere, query, sums);
  const raw = interactionsOf(definition, arms, armsThere);
  const isWatched = anytimeTuning(definition) !== null;
  const pOf = (one: Unadjusted) => pIn(one, isWatched);
  const adjusted = adjustPValues(raw.map(pOf), 'benjamini-hochberg');
  const interactions = raw.map((one, place) => ({ ...one, adjustedP: adjusted[place] ?? null }));
  return {
    experiment: other.experiment.key,
    definitionVersion: other.version,
    arms,
    independence,
    correction: 'bh',
    tests: raw.filter((one) => pOf(one) !== null).length,
    interactions,
    notes: notesOf(other.experiment.key, independence, interactions),
  };
};

/** As where sample ratios are tested at one look. */
const DEPENDENT_BELOW_P = 0.001;
/** Below this an interaction is told. */
const TOLD_BELOW_P = 0.01;

/** Units that both count: has a unit an arm here whatever arm it has there? */
const independenceOf = (
  armsHere: readonly string[],
  armsThere: readonly string[],
  { cells }: Pick<ComparisonQuery, 'cells'>,
  { population }: ComparisonSums,
): Interaction['independence'] => {
  const unitsIn = (here: string, there: string) =>
    population
      .filter(({ kind, cell, stratum }) => kind === 'counted' && cells[cell]?.arm === here && stratum === stratumOf(there))
      .reduce((sum, { units }) => sum + units, 0);
  const test = independenceChiSquare(armsHere.map((here) => armsThere.map((there) => unitsIn(here, there))));
  if (test.kind === 'not-testable') return { refused: test.reason };
  if (test.expected.some((units) => units > 0 && units < SMALLEST_EXPECTATION)) return { refused: 'TOO_FEW_UNITS' };
  const { chi2, df, p, logP } = test;
  return { chi2, df, p, logP, failed: p < DEPENDENT_BELOW_P };
};

type Unadjusted = Omit<MetricInteraction, 'adjustedP'>;

const interactionsOf = (
  definition: DefinitionInForce,
  arms: readonly DimensionValue[],
  armsThere: readonly string[],
): readonly Unadjusted[] => {
  const [otherControl = '', ...otherTreatments] = armsThere;
  const found = (there: string) => arms.find(({ value }) => value === there)?.metrics;
  return definition.metrics.flatMap((metric, index) =>
    otherTreatments.flatMap((otherTreatment): readonly Unadjusted[] => {
      const [unchanged, changed] = [found(otherControl)?.[index], found(otherTreatment)?.[index]];
      if (unchanged === undefined || changed === undefined) return [];
      const units = [...unchanged.arms, ...changed.arms];
      return decidingComparisons(changed).flatMap((there, place) => {
        const without = decidingComparisons(unchanged)[place];
        if (without === undefined) return [];
        const { treatment, control } = there;
        const n = units.filter(({ arm }) => arm === treatment || arm === control).map((one) => one.n);
        return [
          {
            ...{ metric: metric.definition.key, treatment, control, otherTreatment, otherControl },
            absolute: atOneLook(there, without, n),
            anytime: atAnyLook(definition, there, without, n),
          },
        ];
      });
    }),
  );
};

const ONE_LOOK_ALPHA = 0.05;

const atOneLook = ({ absolute: changed }: Comparison, { absolute: unchanged }: Comparison, units: readonly number[]): Effect => {
  if ('refused' in changed) return changed;
  if ('refused' in unchanged) return unchanged;
  const [have, needed] = [Math.min(...units), BURN_IN.unitsPerArm];
  if (have < needed) return { refused: 'NOT_ENOUGH_DATA', have, needed };
  const { estimate, se, z, p, logP, ciLower, ciUpper } = effectInteraction(levelOf(changed), levelOf(unchanged), ONE_LOOK_ALPHA);
  return { estimate, se, statistic: z, df: null, p, logP, ci: { lower: ciLower, upper: ciUpper } };
};

const levelOf = ({ estimate, se }: { readonly estimate: number; readonly se: number }) => ({ effect: estimate, se });

/** Two effects of disjoint units, each asymptotically normal at every look: so is their difference. */
const atAnyLook = (
  definition: DefinitionInForce,
  { absolute: changed, anytime: whereChanged }: Comparison,
  { absolute: unchanged, anytime: whereNot }: Comparison,
  units: readonly number[],
): AnytimeEffect | Refusal | null => {
  const tuning = anytimeTuning(definition);
  if (tuning === null || whereChanged === null || whereNot === null) return null;
  for (const one of [changed, unchanged, whereChanged.absolute, whereNot.absolute]) if ('refused' in one) return one;
  if ('refused' in changed || 'refused' in unchanged) return null;
  const estimate = changed.estimate - unchanged.estimate;
  const se = Math.hypot(changed.se * whereChanged.widening, unchanged.se * whereNot.widening);
  const [n, alpha] = [units.reduce((sum, one) => sum + one, 0), 1 - tuning.level];
  const { tightestAtUnits } = tuning;
  const { halfWidth, multiplier, p, logP, logE } = asymptoticConfidenceSequence({ estimate, se, n, tightestAtUnits, alpha });
  return { lower: estimate - halfWidth, upper: estimate + halfWidth, p, logP, logE, multiplier };
};

/** Null as well of what has no evidence that holds at every look, where there are many: a quantile's is that of its whole arms. */
const pIn = ({ absolute, anytime }: Unadjusted, isWatched: boolean): number | null => {
  if (anytime === null && isWatched) return null;
  const deciding = anytime ?? absolute;
  return 'refused' in deciding ? null : deciding.p;
};

const notesOf = (
  experiment: string,
  independence: Interaction['independence'],
  interactions: readonly MetricInteraction[],
): readonly string[] => [
  ...('failed' in independence && independence.failed
    ? [
        `units are not spread over the arms of ${experiment} as chance would (p ${independence.p.toPrecision(2)}): an arm here changes who meets it, or the two are not assigned independently; effects below compare different units`,
      ]
    : []),
  ...interactions.flatMap(({ metric, treatment, control, otherTreatment, otherControl, absolute, adjustedP }) => {
    if (adjustedP === null || adjustedP >= TOLD_BELOW_P || 'refused' in absolute) return [];
    const how = `${Math.abs(absolute.estimate).toPrecision(2)} ${absolute.estimate > 0 ? 'higher' : 'lower'}`;
    return [
      `${metric}: the effect of ${treatment} over ${control} is ${how} among units in ${otherTreatment} of ${experiment} than among those in its ${otherControl} (adjusted p ${adjustedP.toPrecision(2)}): the two experiments interact`,
    ];
  }),
];
