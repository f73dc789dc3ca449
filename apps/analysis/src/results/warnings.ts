/** What a reader of the results should know before believing them. */
import type { MetricResult, Population } from '@rampart/contracts';
import { isWatched, type PlanState, waitSentence } from '@rampart/domain';
import { type DefinitionInForce, type MetricInUse, promisedPlan } from '../definitions/definition-in-force.js';

/** Names of metric and feedback events that the environment has had. */
export type SeenNames = ReadonlySet<string>;

export const warningsOf = (
  definition: DefinitionInForce,
  figures: { readonly metrics: readonly MetricResult[]; readonly population: Population },
  plan: PlanState,
  seen: SeenNames,
): readonly string[] => [
  ...planWarnings(definition, plan),
  ...beginningWarnings(definition),
  ...populationWarnings(figures.population),
  ...definition.metrics.flatMap((metric) => nameWarnings(metric, seen)),
  ...definition.metrics.flatMap((metric, index) => figureWarnings(definition, metric, figures.metrics[index], seen)),
];

const planWarnings = ({ environment }: DefinitionInForce, plan: PlanState): readonly string[] => {
  if (environment.kind === 'historical' || plan.waits.length === 0) return [];
  if (isWatched(plan.method)) return ['p, ci and normal are of one look: while looking, go by anytime, which holds at every look'];
  const waits = plan.waits.map(waitSentence).join('; ');
  return [`intervals and p-values are not valid under continuous looking: the plan has one look (${waits})`];
};

/** Who begins anew tries once more: the reader is to know how often. */
const beginningWarnings = (definition: DefinitionInForce): readonly string[] => {
  const before = promisedPlan(definition)?.before;
  return before === undefined ? [] : [before.sentence];
};

const populationWarnings = (population: Population): readonly string[] => {
  const { units, rows, duplicates, lateExposures, crossedLate } = population;
  const unknown = rows.reduce((sum, row) => sum + row.excluded['unknown-variant'], 0);
  const unsaid = rows.reduce((sum, row) => sum + row.excluded['reason-unknown'], 0);
  const warnings = [
    unknown > 0 && `${unknown} of ${units} units saw a variant that the definition does not have: they are left out`,
    unsaid > 0 &&
      `${unsaid} of ${units} units were exposed without a reason: they are left out; reports must say SPLIT, or assignment must be external`,
    duplicates.idsReused > 0 && `${duplicates.idsReused} event ids came again with other content: the first arrival counts`,
    lateExposures > 0 && `${lateExposures} exposures became known later than the allowed lateness: they are left out`,
    crossedLate > 0 && `${crossedLate} units were seen in a second arm after their values were final: they keep their first`,
  ];
  return warnings.filter((warning) => warning !== false);
};

const nameWarnings = ({ definition }: MetricInUse, seen: SeenNames): readonly string[] => {
  const { numerator, denominator, covariate, covariates = [], steps = [] } = definition;
  const before = [covariate?.selector, covariate?.denominator, ...covariates.map(({ selector }) => selector)];
  const selectors = [numerator, denominator, ...steps, ...before];
  const missing = new Set(selectors.flatMap((selector) => (selector === undefined || seen.has(selector.event) ? [] : [selector.event])));
  return [...missing].map((event) => {
    const nearest = nearestName(event, seen);
    const hint = nearest === undefined ? 'no event of a similar name either' : `did you mean ${nearest}?`;
    return `metric ${definition.key} counts the event ${event}, which this environment has never had: ${hint}`;
  });
};

const figureWarnings = (
  { environment }: DefinitionInForce,
  { definition, use }: MetricInUse,
  result: MetricResult | undefined,
  seen: SeenNames,
): readonly string[] => {
  if (result === undefined) return [];
  const { event } = definition.numerator;
  const countsNothing = seen.has(event) && result.arms.every(({ n, sum, sumSquares }) => n > 0 && sum === '0' && sumSquares === '0');
  const unconverted = result.arms.reduce((sum, arm) => sum + arm.unconverted, 0);
  const late = result.arms.reduce((sum, arm) => sum + arm.lateEvents, 0);
  const isOpen =
    definition.windowUs === null && environment.kind === 'live' && use.role !== 'secondary' && definition.type !== 'first-error';
  const gainsNothing = result.notes.find((note) => note.includes('gains almost nothing'));
  const warnings = [
    countsNothing &&
      `metric ${definition.key} counts nothing for any unit, though the event ${event} arrives: check unitType, filters, property and window`,
    unconverted > 0 && `metric ${definition.key}: ${unconverted} events have a property that is no number: they are left out`,
    late > 0 && `metric ${definition.key}: ${late} events became known after their unit was final: they are left out`,
    isOpen && `metric ${definition.key} has no window: its values still grow; give it a windowUs to decide on final ones`,
    capWarning(definition.key, result),
    gainsNothing !== undefined && `metric ${definition.key}: ${gainsNothing}`,
  ];
  return warnings.filter((warning) => warning !== false);
};

/** A cap is there for the far tail: beyond this share it changes what is measured. */
const SHARE_CUT = 0.01;

const capWarning = (key: string, { withoutCaps }: MetricResult): string | false => {
  const shares = (withoutCaps?.arms ?? []).map(({ arm, units, lowered, raised }) => ({
    arm,
    share: units > 0 ? (lowered + raised) / units : 0,
  }));
  if (!shares.some(({ share }) => share > SHARE_CUT)) return false;
  const cut = shares.map(({ arm, share }) => `${(share * 100).toPrecision(2)} % of ${arm}`).join(', ');
  return `metric ${key}: its caps cut ${cut}; caps are for the far tail, and above 1 % they change what is measured: choose wider ones, or read the effect without them too`;
};

/** @returns the known name with the fewest edits, if a third of the letters or fewer differ */
export const nearestName = (name: string, known: Iterable<string>): string | undefined => {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = edits(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.max(name.length, candidate.length) / 3 && distance < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { name: candidate, distance };
  }
  return best?.name;
};

/** Levenshtein distance: letters to insert, delete or replace. */
const edits = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};
