/** Results as a page of text: who was compared, what differs, and the verdict with its reason. */
import type { Comparison, Effect, MetricResult, Results } from '@rampart/contracts';
import { count } from '../import/progress.js';
import { figure, percent, probability, textTable } from './text-table.js';

export const resultsReport = (results: Results): string =>
  [
    populationPart(results),
    srmPart(results),
    ...results.metrics.map((metric) => metricPart(metric, results)),
    warningsPart(results),
    verdictPart(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n');

const populationPart = ({ population }: Results): string => {
  const reasons = [
    ...new Set(population.rows.flatMap(({ excluded }) => Object.entries(excluded).flatMap(([why, n]) => (n > 0 ? [why] : [])))),
  ];
  const header = ['variant', 'arm', 'exposed', 'counted', ...reasons];
  const rows = population.rows.map(({ variant, arm, exposed, counted, excluded }) => [
    variant,
    arm,
    count(exposed),
    count(counted),
    ...reasons.map((why) => count(excluded[why as keyof typeof excluded] ?? 0)),
  ]);
  const { accepted, stored, duplicates, idsReused } = population.duplicates;
  const events = `${count(accepted)} events accepted, ${count(stored)} stored, ${count(duplicates)} duplicates`;
  const reused = idsReused > 0 ? `, ${count(idsReused)} ids came again with other content` : '';
  return `Population: ${count(population.units)} units, ${count(population.counted)} counted\n${textTable([header, ...rows], 2)}\n  ${events}${reused}`;
};

const srmPart = ({ srm }: Results): string => {
  if ('refused' in srm.test) return `Sample ratio: not tested (${srm.test.refused})`;
  const { chi2, df, p, failed } = srm.test;
  return `Sample ratio: chi-square ${figure(chi2)}, ${df} df, p ${probability(p)}: ${failed ? 'MISMATCH' : 'as designed'}`;
};

const HEADER = ['', 'n', 'mean', 'effect', 'interval', 'relative', 'p', 'adjusted p'];

const metricPart = (metric: MetricResult, { plan }: Results): string => {
  const { arms, comparisons, cuped, notes, withoutCaps } = metric;
  const rows = arms.map(({ arm, n, mean }) => [
    arm,
    count(n),
    figure(mean),
    ...effectCells(comparisons.find(({ treatment }) => treatment === arm)),
  ]);
  const adjusted =
    cuped !== null && 'comparisons' in cuped
      ? cuped.comparisons.map((comparison) => {
          const own = cuped.arms.find(({ arm }) => arm === comparison.treatment);
          return [`${comparison.treatment}, adjusted`, count(own?.n ?? 0), figure(own?.mean), ...effectCells(comparison)];
        })
      : [];
  const uncapped = (withoutCaps?.comparisons ?? []).map((comparison) => {
    const own = withoutCaps?.arms.find(({ arm }) => arm === comparison.treatment);
    return [`${comparison.treatment}, without caps`, count(own?.units ?? 0), figure(own?.mean), ...effectCells(comparison)];
  });
  const header = HEADER.map((name) => (name === 'interval' ? `${Math.round(plan.intervalLevel * 1000) / 10} % interval` : name));
  const lines = [`${metric.name} (${metric.type}, ${metric.role})`, textTable([header, ...rows, ...adjusted, ...uncapped])];
  if (cuped !== null && 'comparisons' in cuped)
    lines.push(`  adjusted for ${cuped.covariate}: correlation ${figure(cuped.correlation)}${without(cuped.unitsWithoutCovariate)}`);
  if (cuped !== null && 'refused' in cuped) lines.push(`  not adjusted: ${cuped.refused}`);
  if (withoutCaps !== undefined) {
    const cut = withoutCaps.arms.map(({ arm, units, lowered, raised }) => `${count(lowered + raised)} of ${count(units)} units of ${arm}`);
    lines.push(`  caps cut ${cut.join(', ')}`);
  }
  return [...lines, ...notes.map((note) => `  ${note}`)].join('\n');
};

const without = (units: number): string => (units === 0 ? '' : `, ${count(units)} units without it`);

const effectCells = (
  comparison: (Pick<Comparison, 'absolute' | 'relative'> & { readonly adjustedP?: number | null }) | undefined,
): readonly string[] => {
  if (comparison === undefined) return ['', '', '', '', ''];
  const { absolute, relative, adjustedP } = comparison;
  if ('refused' in absolute) return [absolute.refused, '–', '–', '–', '–'];
  const { lower, upper } = absolute.ci;
  return [
    figure(absolute.estimate),
    `${figure(lower)} … ${figure(upper)}`,
    percent(estimateOf(relative)),
    probability(absolute.p),
    adjustedP === undefined ? '–' : probability(adjustedP),
  ];
};

const estimateOf = (effect: Effect): number | null => ('refused' in effect ? null : effect.estimate);

const warningsPart = ({ warnings }: Results): string => warnings.map((warning) => `! ${warning}`).join('\n');

const verdictPart = ({ verdict }: Results): string => {
  const perArm =
    verdict.arms.length > 1 ? verdict.arms.map(({ arm, verdict: one, sentence }) => `\n  ${arm}: ${one}. ${sentence}`).join('') : '';
  return `Verdict: ${loud(verdict.verdict, verdict.sentence)}${perArm}`;
};

/** A sentence that begins with its verdict says it once. */
const loud = (verdict: string, sentence: string): string =>
  sentence.startsWith(verdict) ? `${verdict.toUpperCase()}${sentence.slice(verdict.length)}` : `${verdict.toUpperCase()}. ${sentence}`;
