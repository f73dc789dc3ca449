/** What must be true before an experiment may run in an environment, and what people should know before they start it. */
import type { Feature } from '../feature/feature.js';
import type { Metric, MetricVersion } from '../metric/metric.js';
import type { EnvironmentKind } from '../tenancy/environment.js';
import { isWatched } from '../verdict/plan-state.js';
import type { MetricUse } from './analysis-plan.js';
import type { MetricVersions } from './experiment.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import { isOverlapping, type LayerShare } from './reach.js';

/** What a definition refers to, as it is when a command is given. */
export interface Surroundings {
  /** By key; absent: there is no such metric. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** null: there is no such feature, or the definition names none. */
  readonly feature: Feature | null;
  /** Absent: the definition names no layer, or nothing is started. */
  readonly layer?: LayerInSight | undefined;
  /** How long rows are kept that no open comparison needs; absent: for ever. */
  readonly keptRowsUs?: number | undefined;
}

/** A layer in one environment. */
export interface LayerInSight {
  readonly isDefined: boolean;
  /** By other experiments that have begun and are not decided. */
  readonly taken: readonly { readonly experiment: string; readonly ranges: LayerShare['ranges'] }[];
}

export interface ChecklistItem {
  /** A `refusal` keeps the experiment from starting. */
  readonly level: 'refusal' | 'warning';
  readonly code: string;
  /** Into the definition. */
  readonly path: string;
  readonly sentence: string;
}

export interface PlannedRun {
  readonly definition: ExperimentDefinition;
  readonly environment: { readonly key: string; readonly kind: EnvironmentKind };
  readonly surroundings: Surroundings;
  /** Versions that this run counts with already: they stay. */
  readonly metricVersions: MetricVersions;
  readonly startsAtUs: number;
  /** When it is asked. */
  readonly atUs: number;
}

/** @returns nothing when all is well */
export const startChecklist = (run: PlannedRun): readonly ChecklistItem[] => [
  ...featureItems(run),
  ...layerItems(run),
  ...run.definition.metrics.flatMap((use, index) => metricItems(run, use, index)),
  ...plannedEndItems(run),
  ...lookItems(run),
];

/** Which version of each metric counts: the named one, the one that counts already, the newest. Metrics that do not exist are left out. */
export const pinnedVersions = (run: PlannedRun): MetricVersions =>
  Object.fromEntries(
    run.definition.metrics.flatMap((use) => {
      const version = pinned(run, use)?.version;
      return version === undefined ? [] : [[use.metric, version]];
    }),
  );

const pinned = ({ surroundings, metricVersions }: PlannedRun, use: MetricUse): MetricVersion | undefined => {
  const versions = surroundings.metrics[use.metric]?.versions ?? [];
  const wanted = use.version ?? metricVersions[use.metric];
  return wanted === undefined ? versions.at(-1) : versions.find(({ version }) => version === wanted);
};

const featureItems = ({ definition, surroundings }: PlannedRun): readonly ChecklistItem[] => {
  if (definition.feature === undefined) return [];
  const newest = surroundings.feature?.versions.at(-1)?.definition;
  if (newest === undefined)
    return [refusal('feature-not-found', '/feature', `there is no feature "${definition.feature}": define it, or leave it out`)];
  const known = newest.variants.map(({ key }) => key);
  return definition.variants.flatMap(({ key }, index) =>
    known.includes(key)
      ? []
      : [
          refusal(
            'variant-not-of-feature',
            `/variants/${index}/key`,
            `variant "${key}" is none of feature "${newest.key}": ${known.join(', ')}`,
          ),
        ],
  );
};

/** Experiments of one layer exclude each other: what one has, no other gets. */
const layerItems = ({ definition: { layer }, environment, surroundings }: PlannedRun): readonly ChecklistItem[] => {
  if (layer === undefined || surroundings.layer === undefined) return [];
  if (!surroundings.layer.isDefined)
    return [refusal('layer-not-found', '/layer/key', `there is no layer "${layer.key}": define it, or leave it out`)];
  return layer.ranges.flatMap(
    (range, index) =>
      surroundings.layer?.taken.flatMap(({ experiment, ranges }) => {
        const other = ranges.find((taken) => isOverlapping(range, taken));
        if (other === undefined) return [];
        const sentence = `range [${range.join(', ')}) of layer "${layer.key}" overlaps [${other.join(', ')}), which experiment "${experiment}" has in ${environment.key}: take another range, or decide that one first`;
        return [refusal('layer-range-taken', `/layer/ranges/${index}`, sentence)];
      }) ?? [],
  );
};

const metricItems = (run: PlannedRun, use: MetricUse, index: number): readonly ChecklistItem[] => {
  const path = `/metrics/${index}`;
  const found = pinned(run, use);
  if (found === undefined) return [missingMetric(run, use, path)];
  const { unitType } = found.definition;
  if (unitType !== run.definition.unitType) {
    const sentence = `metric "${use.metric}" is measured per ${unitType}, the experiment compares units of type ${run.definition.unitType}`;
    return [refusal('metric-unit-type', `${path}/metric`, sentence)];
  }
  return [
    ...quantileItems(run, use, found, path),
    ...capItems(run, use, found, path),
    ...windowItems(run, use, found, path),
    ...keptItems(run, use, found, path),
  ];
};

/** Several looks are those of ranks: the other methods test a mean's statistic. */
const quantileItems = (run: PlannedRun, use: MetricUse, { definition }: MetricVersion, path: string): readonly ChecklistItem[] => {
  const { method } = run.definition.plan;
  if (definition.type !== 'quantile' || use.role === 'secondary') return [];
  if (run.environment.kind === 'historical' || method === 'fixed-horizon') return [];
  if (method === 'sequential') return [];
  const sentence = `${use.role} "${use.metric}" is a quantile, which is judged at one look or, by ranks, continuously, and method ${method} does neither: choose sequential or fixed-horizon, make it secondary, or judge the share of events above a threshold (a ratio)`;
  return [refusal('quantile-not-sequential', `${path}/metric`, sentence)];
};

/** Caps are fixed by the units that close first, for all looks. */
const capItems = (run: PlannedRun, use: MetricUse, { definition }: MetricVersion, path: string): readonly ChecklistItem[] => {
  const { method } = run.definition.plan;
  if (definition.capQuantile === undefined || definition.windowUs !== null) return [];
  if (run.environment.kind === 'historical' || method === 'fixed-horizon') return [];
  const sentence = `metric "${use.metric}" is capped at a quantile of the units that close first, and without a window none ever closes: give it one, cap it at a number, or choose fixed-horizon instead of ${method}`;
  return [refusal('cap-without-window', `${path}/metric`, sentence)];
};

const missingMetric = ({ surroundings }: PlannedRun, use: MetricUse, path: string): ChecklistItem => {
  const newest = surroundings.metrics[use.metric]?.versions.at(-1)?.version;
  if (newest === undefined) return refusal('metric-not-found', `${path}/metric`, `there is no metric "${use.metric}": define it first`);
  const sentence = `metric "${use.metric}" has no version ${use.version}, its newest is ${newest}`;
  return refusal('metric-version-not-found', `${path}/version`, sentence);
};

/** A unit's value is final when its window has passed: what has no window is never final, and decides only about history, which is. */
const windowItems = (run: PlannedRun, use: MetricUse, { version, definition }: MetricVersion, path: string): readonly ChecklistItem[] => {
  // A first error counts as soon as it is known: it asks for no window.
  if (definition.windowUs !== null || definition.type === 'first-error') return [];
  if (run.environment.kind === 'historical' || use.role === 'secondary') return [];
  if (definition.type === 'quantile' && run.definition.plan.method === 'sequential') {
    const sentence = `${use.role} "${use.metric}" (version ${version}) is a quantile without window: ranks of values that may still change are evidence of nothing, of harm neither; give it one, or make it secondary`;
    return [refusal('metric-without-window', `${path}/metric`, sentence)];
  }
  const what = `${use.role} "${use.metric}" (version ${version}) has no window, so that no unit's value is ever final`;
  if (use.role === 'success' || use.margin !== undefined)
    return [refusal('metric-without-window', `${path}/metric`, `${what} and nothing could be decided: give the metric a window`)];
  return [warning('metric-without-window', `${path}/metric`, `${what}: it is shown, but only harm could be told from it`)];
};

/** A client's clock may be so far ahead of the log's, and an event then known before it happened. */
const CLOCKS_APART_US = 86_400_000_000;

/** What is gone before a metric counts is missing in its sums for good, and no record of them could be recounted. */
const keptItems = (run: PlannedRun, use: MetricUse, { version, definition }: MetricVersion, path: string): readonly ChecklistItem[] => {
  const { keptRowsUs } = run.surroundings;
  if (keptRowsUs === undefined || run.environment.kind === 'historical' || run.metricVersions[use.metric] === version) return [];
  const { covariate, covariates = [] } = definition;
  const lookbackUs = Math.max(0, covariate?.lookbackUs ?? 0, ...covariates.map((each) => each.lookbackUs));
  const neededUs = run.startsAtUs - lookbackUs - CLOCKS_APART_US;
  const keptUs = run.atUs - keptRowsUs;
  if (neededUs >= keptUs) return [];
  const kept = `rows are kept for ${days(keptRowsUs)} (RAMPART_KEEP_ROWS_DAYS), and older ones may be gone`;
  const sentence =
    run.startsAtUs < keptUs
      ? `metric "${use.metric}" would count from ${iso(neededUs)} on, ${kept}: define it in a new experiment`
      : `metric "${use.metric}" needs rows of the ${days(run.atUs - neededUs)} before, with a day for clocks; ${kept}: look back for a shorter time, or keep rows longer`;
  return [refusal('rows-not-kept', `${path}/metric`, sentence)];
};

const days = (us: number): string => `${Number((us / 86_400_000_000).toFixed(1))} days`;

const plannedEndItems = ({ definition: { plan }, environment, startsAtUs }: PlannedRun): readonly ChecklistItem[] => {
  if (environment.kind === 'historical') return [];
  const path = '/plan/plannedEndUs';
  if (plan.plannedEndUs === undefined && plan.method === 'group-sequential') return [];
  if (plan.plannedEndUs === undefined) return isWatched(plan.method) ? openEndItems(plan) : [noLook(path)];
  const minimumEndUs = startsAtUs + plan.minimumRunUs;
  if (plan.plannedEndUs >= minimumEndUs) return [];
  if (minimumEndUs <= startsAtUs) {
    const sentence = `the planned end ${iso(plan.plannedEndUs)} lies before the start, ${iso(startsAtUs)}, and no minimum run follows: the plan would be over with nobody in it; plan a later end`;
    return [refusal('planned-end-before-start', path, sentence)];
  }
  const sentence = `the planned end ${iso(plan.plannedEndUs)} comes before the minimum run is over, ${iso(minimumEndUs)}: the ${isWatched(plan.method) ? 'plan is over' : 'look is taken'} then`;
  return [warning('planned-end-too-early', path, sentence)];
};

/** A look that lies before the start can't be taken; one before the minimum run is over spends α on a gain that can't be acted upon yet. */
const lookItems = ({ definition: { plan }, environment, startsAtUs }: PlannedRun): readonly ChecklistItem[] => {
  if (environment.kind === 'historical' || plan.looks === undefined || !('atUs' in plan.looks)) return [];
  const minimumEndUs = startsAtUs + plan.minimumRunUs;
  return plan.looks.atUs.flatMap((atUs, index) => {
    const path = `/plan/looks/atUs/${index}`;
    if (atUs <= startsAtUs)
      return [
        refusal('look-before-start', path, `look ${index + 1} at ${iso(atUs)} lies before the start, ${iso(startsAtUs)}: plan it later`),
      ];
    if (atUs >= minimumEndUs) return [];
    const sentence = `look ${index + 1} at ${iso(atUs)} is taken before the minimum run is over, ${iso(minimumEndUs)}: it spends α, and a gain that it shows waits until then`;
    return [warning('look-before-minimum-run', path, sentence)];
  });
};

const noLook = (path: string): ChecklistItem =>
  warning('no-planned-end', path, 'a fixed horizon has one look, at its planned end, and the plan names none: name it, or decide by hand');

const openEndItems = ({ plannedUnits }: PlannedRun['definition']['plan']): readonly ChecklistItem[] => {
  if (plannedUnits !== undefined) return [];
  const sentence =
    'the plan names neither planned units nor an end: it is never over by itself, and its intervals are tightest at 10,000 units; name plannedUnits, for what fits your traffic';
  return [warning('no-planned-units', '/plan/plannedUnits', sentence)];
};

const iso = (atUs: number): string => new Date(atUs / 1000).toISOString();
const refusal = (code: string, path: string, sentence: string): ChecklistItem => ({ level: 'refusal', code, path, sentence });
const warning = (code: string, path: string, sentence: string): ChecklistItem => ({ level: 'warning', code, path, sentence });
