/** What a sum is, unit by unit: the definition that the statement in SQL is tested against. */
import type { FeedbackRow, InstantUs } from '@rampart/contracts';
import {
  type ArmQuantile,
  type CellSums,
  type ComparisonQuery,
  type ComparisonSums,
  type JointSums,
  type MetricCaps,
  type MetricQuery,
  type MetricSums,
  OTHER_STRATUM,
  type PlacedRow,
  type PopulationCount,
  type StratumCount,
  strataValues,
  stratumOf,
  type TrackedCount,
} from '../feedback-store.js';
import { idHashOf, knownTimeOf } from '../row-identity.js';
import { boundTo, closesAfterUs, jointSize, type Measure, type MeasuredMetric, measured, ONE_EVENT, takesValues } from './measures.js';
import { designEffectOf, ladderRanks, quantileRanks } from './quantile-ranks.js';
import { matchesAll, textOfProperty, valueTaken } from './selectors.js';
import { byPopulation, byText, mostFrequent } from './sums-order.js';

/** A row as a comparison sees it. */
interface Seen {
  readonly row: FeedbackRow;
  readonly knownAt: InstantUs;
  /** Orders rows that became known, or happened, at the same time. */
  readonly tie: bigint;
}

interface Unit {
  readonly t0: InstantUs;
  readonly segment: number;
  /** −1: a variant that the definition does not have. */
  readonly cell: number;
  readonly kind: Exclude<PopulationCount['kind'], 'two-arms'>;
  readonly firstExposure: Seen;
  /** `stratumOf` a value, or OTHER_STRATUM; empty without strata. */
  readonly stratum: string;
  /** Known time of the first randomised exposure in another arm. */
  readonly crossedAt: InstantUs | undefined;
  readonly events: readonly Seen[];
}

export const bruteForceSums = (query: ComparisonQuery, rows: readonly PlacedRow[]): ComparisonSums => {
  const visible = visibleRows(query, rows);
  const exposed = unitsOf(query, visible, ['exposure']);
  const assigned = unitsOf(query, visible, ['exposure', 'assignment']);
  const caps = query.metrics.flatMap((metric, place) => {
    const found = metric.caps ?? capsOf(query, metric, metric.definition.population === 'assigned' ? assigned.units : exposed.units);
    return found === undefined ? [] : [{ metric: place, ...found }];
  });
  const metrics = query.metrics.map((metric, place) =>
    measured({ ...metric, ...withoutPlace(caps.find(({ metric: at }) => at === place)) }),
  );
  const counted = metrics.length > 0 && metrics.every(({ population }) => population === 'assigned') ? assigned : exposed;
  const closes = metrics.map((metric) => closesAfterUs(metric, query.allowedLatenessUs));
  const lastClose = closes.length === 0 || closes.includes(null) ? null : Math.max(...closes.map(Number));
  const crossing = (unit: Unit): 'none' | 'in-time' | 'late' => {
    if (unit.kind !== 'counted' || unit.crossedAt === undefined) return 'none';
    return lastClose === null || unit.crossedAt <= unit.t0 + lastClose ? 'in-time' : 'late';
  };
  return {
    cells: cellSums(query, metrics, { exposed: exposed.units, assigned: assigned.units }),
    population: population(query, counted.units, (unit) => crossing(unit) === 'in-time'),
    lateExposures: counted.lateExposures,
    crossedLate: counted.units.filter((unit) => crossing(unit) === 'late').length,
    ...(caps.length === 0 ? {} : { caps }),
    ...(query.quantiles === true ? { quantiles: quantiles(query, metrics, { exposed: exposed.units, assigned: assigned.units }) } : {}),
  };
};

const withoutPlace = (caps: (MetricCaps & { readonly metric: number }) | undefined): Pick<MetricQuery, 'caps'> => {
  if (caps === undefined) return {};
  const { metric: _, ...rest } = caps;
  return { caps: rest };
};

/** Order statistics of units' totals as they are without these caps, all arms together. */
const capsOf = (query: ComparisonQuery, { definition }: MetricQuery, units: readonly Unit[]): MetricCaps | undefined => {
  const { capQuantile } = definition;
  if (capQuantile === undefined) return undefined;
  const metric = measured({ definition });
  const { closed, closeOf } = closedUnits(
    query,
    metric,
    units.filter(({ kind }) => kind === 'counted'),
  );
  const isOfFirst = query.capsOf === 'first-closed';
  const times = closed.map(({ t0 }) => t0).sort(compare);
  const last = isOfFirst ? times[capQuantile.cohort - 1] : undefined;
  const cohort = closed.filter(({ t0 }) => last === undefined || t0 <= last);
  const sorted = cohort
    .map((unit) => contribution(metric, unit, closeOf(unit)).x)
    .filter((total) => !capQuantile.ignoreZeros || total !== 0n)
    .sort(compare);
  const at = (level: number | undefined) =>
    level === undefined ? null : (sorted[quantileRanks(Math.max(1, sorted.length), level).quantile - 1] ?? null);
  const areFixed = !isOfFirst || (last !== undefined && metric.windowUs !== null);
  return { lower: at(capQuantile.lower), upper: at(capQuantile.upper), units: cohort.length, areFixed };
};

const quantiles = (
  query: ComparisonQuery,
  metrics: readonly MeasuredMetric[],
  units: Readonly<Record<'exposed' | 'assigned', readonly Unit[]>>,
): NonNullable<ComparisonSums['quantiles']> =>
  metrics.flatMap((metric, place) => {
    if (metric.quantile === null) return [];
    const arms = [...new Set(query.cells.map(({ arm }) => arm))];
    const ofArm = (arm: string) =>
      units[metric.population].filter(({ kind, cell }) => kind === 'counted' && query.cells[cell]?.arm === arm);
    if (query.quantilesByStratum !== true || query.strata === undefined)
      return [{ metric: place, arms: arms.map((arm) => armQuantile(query, metric, arm, ofArm(arm))) }];
    const strata = [OTHER_STRATUM, ...strataValues(query.strata).map(stratumOf)];
    const inStratum = (arm: string, stratum: string) => ofArm(arm).filter((unit) => unit.stratum === stratum);
    const groups = strata.flatMap((stratum) =>
      arms.map((arm) => ({ ...armQuantile(query, metric, arm, inStratum(arm, stratum)), stratum })),
    );
    return [{ metric: place, arms: groups }];
  });

const armQuantile = (query: ComparisonQuery, metric: MeasuredMetric, arm: string, here: readonly Unit[]): ArmQuantile => {
  const { closed, closeOf } = closedUnits(query, metric, here);
  const isOfEvents = metric.quantile?.of === 'events';
  const values = closed.map((unit) =>
    isOfEvents ? eventValues(metric, unit, closeOf(unit)) : [contribution(metric, unit, closeOf(unit)).x],
  );
  const sorted = values.flat().sort(compare);
  const observations = sorted.length;
  const ranks = quantileRanks(Math.max(1, observations), metric.quantile?.level ?? 0);
  const at = (rank: number) => sorted[rank - 1] ?? 0n;
  const quantile = at(ranks.quantile);
  const pairs = values.map((own) => [BigInt(own.length), BigInt(own.filter((value) => value <= quantile).length)] as const);
  const total = (of: (x: bigint, y: bigint) => bigint) => pairs.reduce((sum, [x, y]) => sum + of(x, y), 0n);
  const clusters = {
    sumX: total((x) => x),
    sumY: total((_, y) => y),
    sumSquaresX: total((x) => x * x),
    sumSquaresY: total((_, y) => y * y),
    sumProducts: total((x, y) => x * y),
  };
  const ladder = ladderRanks(observations, metric.quantile?.level ?? 0, isOfEvents ? designEffectOf(clusters) : 1).map((rank) => ({
    rank,
    value: at(rank),
  }));
  return {
    ...{ arm, observations, quantile, lower: at(ranks.lower), upper: at(ranks.upper), clusters: isOfEvents ? clusters : null },
    ...(query.quantileLadder === true ? { ladder } : {}),
  };
};

const closedUnits = (query: ComparisonQuery, metric: MeasuredMetric, here: readonly Unit[]) => {
  const after = closesAfterUs(metric, query.allowedLatenessUs);
  const closeOf = (unit: Unit) => (after === null ? query.knownUntilUs : unit.t0 + after);
  const members = here.filter(
    (unit) => query.multipleExposure === 'first' || unit.crossedAt === undefined || unit.crossedAt > closeOf(unit),
  );
  const closed = members.filter((unit) => after === null || metric.countsWhileOpen || closeOf(unit) <= query.knownUntilUs);
  return { members, closed, closeOf };
};

/** Of the rows that count, one by one. */
const eventValues = (metric: MeasuredMetric, unit: Unit, closesAt: InstantUs): readonly bigint[] => {
  const { numerator, delayUs, windowUs } = metric;
  return unit.events.flatMap(({ row, knownAt }) => {
    const age = row.at - unit.t0;
    const counts = age >= delayUs && (windowUs === null || age < delayUs + windowUs) && knownAt <= closesAt;
    if (!counts || row.name !== numerator.selector.event || !matchesAll(numerator.selector.filters, row.properties)) return [];
    return valueTaken(numerator.selector, row) ?? [];
  });
};

const visibleRows = (query: ComparisonQuery, rows: readonly PlacedRow[]): readonly Seen[] =>
  rows
    .filter(({ row }) => row.project === query.project && row.environment === query.environment && row.unitType === query.unitType)
    .filter(({ knownAtUs }) => query.loggedUntilUs === undefined || knownAtUs <= query.loggedUntilUs)
    .map((placed) => seen(query, placed))
    .filter(({ knownAt }) => knownAt <= query.knownUntilUs);

const seen = (query: ComparisonQuery, placed: PlacedRow): Seen => ({
  row: placed.row,
  knownAt: knownTimeOf(placed),
  tie: query.historical ? Buffer.from(idHashOf(placed.row), 'latin1').readBigUInt64LE(8) : placed.position,
});

const compare = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);
const byKnownTime = (a: Seen, b: Seen): number => compare(a.knownAt, b.knownAt) || compare(a.tie, b.tie);
const byEventTime = (a: Seen, b: Seen): number => compare(a.row.at, b.row.at) || compare(a.tie, b.tie);

const unitsOf = (
  query: ComparisonQuery,
  rows: readonly Seen[],
  kinds: readonly FeedbackRow['kind'][],
): { units: readonly Unit[]; lateExposures: number } => {
  const timeOf = ({ row, knownAt }: Seen) => Math.min(row.at, knownAt);
  const inForce = (exposure: Seen) => query.timeline.findLast(({ fromUs }) => fromUs <= timeOf(exposure)) ?? query.timeline[0];
  const segmentOf = (exposure: Seen) => exposure.row.segment ?? inForce(exposure).segment;
  const exposures = rows
    .filter(({ row }) => kinds.includes(row.kind) && row.name === query.experiment)
    .filter((exposure) => query.segments.includes(segmentOf(exposure)))
    .sort(byKnownTime);
  const isAdmissible = (exposure: Seen) => exposure.knownAt <= timeOf(exposure) + query.allowedLatenessUs;
  const cellOf = ({ row }: Seen) => query.cells.findIndex(({ variant }) => variant === row.variant);
  const stratumOfFirst = stratumTeller(query, rows);
  const events = byUnit(rows.filter(({ row }) => row.kind === 'metric' || row.kind === 'feedback'));
  const units = [...byUnit(exposures)].flatMap(([unit, own]): Unit[] => {
    const first = own.find(isAdmissible);
    if (first === undefined) return [];
    const cell = cellOf(first);
    const arm = query.cells[cell]?.arm;
    const crossed = own.find((one) => {
      const other = query.cells[cellOf(one)];
      return arm !== undefined && other !== undefined && other.arm !== arm && reasonOf(query, one) === 'SPLIT';
    });
    return [
      {
        t0: timeOf(first),
        segment: segmentOf(first),
        cell,
        kind: kindOf(reasonOf(query, first), cell),
        crossedAt: crossed?.knownAt,
        firstExposure: first,
        stratum: stratumOfFirst(first),
        events: events.get(unit) ?? [],
      },
    ];
  });
  return { units, lateExposures: exposures.filter((exposure) => !isAdmissible(exposure)).length };
};

const byUnit = (rows: readonly Seen[]): ReadonlyMap<string, readonly Seen[]> => {
  const units = new Map<string, Seen[]>();
  for (const one of rows) {
    const own = units.get(one.row.unit);
    if (own === undefined) units.set(one.row.unit, [one]);
    else own.push(one);
  }
  return units;
};

const reasonOf = (query: ComparisonQuery, { row }: Seen): NonNullable<FeedbackRow['reason']> =>
  row.reason === undefined || row.reason === 'unknown' ? query.reasonWhenMissing : row.reason;

const kindOf = (reason: NonNullable<FeedbackRow['reason']>, cell: number): Unit['kind'] => {
  switch (reason) {
    case 'SPLIT':
      return cell === -1 ? 'unknown-variant' : 'counted';
    case 'OVERRIDE':
      return 'override';
    case 'USER_CHANNEL':
      return 'own-choice';
    case 'HOLDOUT':
    case 'STATIC':
      return 'not-randomised';
    case 'unknown':
      return 'reason-unknown';
  }
};

const population = (query: ComparisonQuery, units: readonly Unit[], hasCrossed: (unit: Unit) => boolean): readonly PopulationCount[] => {
  const counts = new Map<string, PopulationCount>();
  for (const unit of units) {
    const kind = query.multipleExposure === 'exclude' && hasCrossed(unit) ? 'two-arms' : unit.kind;
    const { stratum } = unit;
    const key = `${unit.cell} ${unit.segment} ${kind} ${stratum}`;
    const place = { cell: unit.cell, segment: unit.segment, ...(query.strata === undefined ? {} : { stratum }) };
    counts.set(key, { ...place, kind, units: (counts.get(key)?.units ?? 0) + 1 });
  }
  return [...counts.values()].sort(byPopulation);
};

/** @returns the stratum of a unit by its first exposure */
const stratumTeller = ({ strata }: ComparisonQuery, rows: readonly Seen[]): ((first: Seen) => string) => {
  if (strata === undefined) return () => '';
  if ('armIn' in strata) {
    const arms = armsOfUnits(strata.armIn, rows);
    return ({ row: { unit } }) => {
      const arm = arms.get(unit);
      return arm === undefined ? OTHER_STRATUM : stratumOf(arm);
    };
  }
  const { property, values } = strata;
  return ({ row }) => {
    const value = textOfProperty(row.properties, property);
    return values.includes(value) ? stratumOf(value) : OTHER_STRATUM;
  };
};

/** Of the units that a comparison counts, each in one arm as far as it excludes those in two. */
const armsOfUnits = (query: ComparisonQuery, rows: readonly Seen[]): ReadonlyMap<string, string> => {
  const known = rows.filter(({ knownAt }) => knownAt <= query.knownUntilUs);
  const counted = unitsOf(query, known, exposuresOf(query)).units.filter(
    ({ kind, crossedAt }) => kind === 'counted' && (query.multipleExposure === 'first' || crossedAt === undefined),
  );
  return new Map(counted.map(({ firstExposure: { row }, cell }) => [row.unit, query.cells[cell]?.arm ?? '']));
};

/** Which rows say that a unit is in the comparison. */
const exposuresOf = ({ metrics }: ComparisonQuery): readonly FeedbackRow['kind'][] =>
  metrics.length > 0 && metrics.every(({ definition }) => definition.population === 'assigned') ? ['exposure', 'assignment'] : ['exposure'];

export const bruteForceStrata = (
  query: ComparisonQuery,
  rows: readonly PlacedRow[],
  property: string,
  limit: number,
): readonly StratumCount[] => {
  const counts = new Map<string, number>();
  const { units } = unitsOf(query, visibleRows(query, rows), exposuresOf(query));
  for (const { kind, firstExposure } of units) {
    if (kind !== 'counted') continue;
    const value = textOfProperty(firstExposure.row.properties, property);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return mostFrequent(
    [...counts].map(([value, units]) => ({ value, units })),
    limit,
  );
};

export const bruteForceTracked = (query: ComparisonQuery, rows: readonly PlacedRow[]): readonly TrackedCount[] => {
  const metrics = query.metrics.map(measured);
  if (metrics.length === 0) return [];
  const names = new Set(
    metrics.flatMap(({ numerator, denominator, steps }) =>
      [numerator, ...(denominator === null ? [] : [denominator]), ...steps].map(({ selector }) => selector.event),
    ),
  );
  const closes = metrics.map((metric) => closesAfterUs(metric, query.allowedLatenessUs));
  const lastClose = closes.includes(null) ? Number.POSITIVE_INFINITY : Math.max(...closes.map(Number));
  const tracked = unitsOf(query, visibleRows(query, rows), exposuresOf(query)).units.filter(
    ({ kind, crossedAt, t0, events }) =>
      kind === 'counted' &&
      (query.multipleExposure === 'first' || crossedAt === undefined || crossedAt > t0 + lastClose) &&
      events.some(({ row }) => names.has(row.name) && row.at >= t0),
  );
  const counts = new Map<string, TrackedCount>();
  for (const { cell, segment } of tracked) {
    const key = `${cell} ${segment}`;
    counts.set(key, { cell, segment, units: (counts.get(key)?.units ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => a.cell - b.cell || a.segment - b.segment);
};

const cellSums = (
  query: ComparisonQuery,
  metrics: readonly MeasuredMetric[],
  units: Readonly<Record<'exposed' | 'assigned', readonly Unit[]>>,
): readonly CellSums[] => {
  const strata = query.strata === undefined ? [''] : [OTHER_STRATUM, ...new Set(strataValues(query.strata).map(stratumOf))].sort(byText);
  const places = [...query.cells.keys()].flatMap((cell) =>
    [...query.segments].sort((a, b) => a - b).flatMap((segment) => strata.map((stratum) => ({ cell, segment, stratum }))),
  );
  return places
    .map(({ cell, segment, stratum }): CellSums => {
      const here = (unit: Unit) => unit.kind === 'counted' && unit.cell === cell && unit.segment === segment && unit.stratum === stratum;
      return { cell, segment, stratum, metrics: metrics.map((metric) => sumsOf(query, metric, units[metric.population].filter(here))) };
    })
    .filter(({ metrics: sums }) => sums.some(({ units: closed, openUnits }) => closed + openUnits > 0));
};

/** What one unit brings to one metric. */
interface Contribution {
  readonly x: bigint;
  readonly y: bigint;
  readonly covariates: readonly (bigint | undefined)[];
  readonly late: number;
  readonly unconverted: number;
}

const sumsOf = (query: ComparisonQuery, metric: MeasuredMetric, here: readonly Unit[]): MetricSums => {
  const { members, closed, closeOf } = closedUnits(query, metric, here);
  const all = closed.map((unit) => contribution(metric, unit, closeOf(unit)));
  const total = (of: (one: Contribution) => bigint, among = all) => among.reduce((sum, one) => sum + of(one), 0n);
  const adjusted = all.filter(({ covariates }) => metric.required.every((group) => group.some((place) => covariates[place] !== undefined)));
  const c = ({ covariates: [first = 0n] }: Contribution) => first;
  return {
    units: closed.length,
    openUnits: members.length - closed.length,
    sum: total(({ x }) => x),
    sumSquares: total(({ x }) => x * x),
    denominatorSum: total(({ y }) => y),
    denominatorSumSquares: total(({ y }) => y * y),
    crossSum: total(({ x, y }) => x * y),
    covariate:
      metric.covariates.length !== 1
        ? null
        : {
            units: adjusted.length,
            sum: total(({ x }) => x, adjusted),
            sumSquares: total(({ x }) => x * x, adjusted),
            covariateSum: total(c, adjusted),
            covariateSumSquares: total((one) => c(one) * c(one), adjusted),
            covariateCrossSum: total((one) => one.x * c(one), adjusted),
          },
    ...(metric.covariates.length > 1
      ? {
          joint: jointSums(
            adjusted.map((one) => jointValues(metric, one)),
            jointSize(metric),
          ),
        }
      : {}),
    lateEvents: all.reduce((sum, { late }) => sum + late, 0),
    unconverted: all.reduce((sum, { unconverted }) => sum + unconverted, 0),
  };
};

const jointValues = ({ denominator }: MeasuredMetric, { x, y, covariates }: Contribution): readonly bigint[] => [
  x,
  ...(denominator === null ? [] : [y]),
  ...covariates.map((value) => value ?? 0n),
];

const jointSums = (units: readonly (readonly bigint[])[], size: number): JointSums => {
  const total = (of: (values: readonly bigint[]) => bigint) => units.reduce((sum, values) => sum + of(values), 0n);
  const at = (values: readonly bigint[], place: number) => values[place] ?? 0n;
  const places = [...Array(size).keys()];
  return {
    units: units.length,
    sums: places.map((i) => total((values) => at(values, i))),
    products: places.flatMap((i) => places.slice(i).map((j) => total((values) => at(values, i) * at(values, j)))),
  };
};

const contribution = (metric: MeasuredMetric, unit: Unit, closesAt: InstantUs): Contribution => {
  const { numerator, denominator, steps, covariates, delayUs, windowUs } = metric;
  const selected =
    (measure: Measure) =>
    ({ row }: Seen) =>
      row.name === measure.selector.event && matchesAll(measure.selector.filters, row.properties);
  const age = ({ row }: Seen) => row.at - unit.t0;
  const inWindow = unit.events.filter((event) => age(event) >= delayUs && (windowUs === null || age(event) < delayUs + windowUs));
  const inTime = ({ knownAt }: Seen) => knownAt <= closesAt;
  const before = (lookbackUs: number) => unit.events.filter((event) => age(event) < 0 && age(event) >= -lookbackUs && inTime(event));
  const hasNoValue = (measure: Measure) => (event: Seen) =>
    takesValues(measure) && selected(measure)(event) && valueTaken(measure.selector, event.row) === undefined;
  const measures = [numerator, ...(denominator === null ? [] : [denominator]), ...steps];
  const taken = (measure: Measure) => inWindow.filter(inTime).filter(selected(measure));
  return {
    x:
      steps.length > 0
        ? stepped([...steps, numerator].map(selected), inWindow.filter(inTime))
        : boundTo(metric, together(numerator, taken(numerator)) ?? 0n),
    y: denominator === null ? 0n : (together(denominator, taken(denominator)) ?? 0n),
    covariates: covariates.map((covariate) => together(covariate, before(covariate.lookbackUs).filter(selected(covariate)))),
    late: inWindow.filter((event) => !inTime(event) && measures.some((measure) => selected(measure)(event))).length,
    unconverted: inWindow.filter((event) => inTime(event) && measures.some((measure) => hasNoValue(measure)(event))).length,
  };
};

/** 1 if there is a row for each step, each after the one before. */
const stepped = (steps: readonly ((row: Seen) => boolean)[], rows: readonly Seen[]): bigint => {
  const reached = [...rows].sort(byEventTime).reduce((step, row) => (steps[step]?.(row) === true ? step + 1 : step), 0);
  return reached === steps.length ? ONE_EVENT : 0n;
};

/** A unit's rows as one number; undefined when there is none that has what is asked for. */
const together = (measure: Measure, rows: readonly Seen[]): bigint | undefined => {
  if (!takesValues(measure)) {
    if (rows.length === 0) return undefined;
    return measure.aggregate === 'any' ? ONE_EVENT : BigInt(rows.length) * ONE_EVENT;
  }
  const values = [...rows].sort(byEventTime).flatMap(({ row }) => valueTaken(measure.selector, row) ?? []);
  if (values.length === 0) return undefined;
  switch (measure.aggregate) {
    case 'first':
      return values[0];
    case 'last':
      return values.at(-1);
    case 'max':
      return [...values].sort(compare).at(-1);
    case 'min':
      return [...values].sort(compare)[0];
    default:
      return values.reduce((a, b) => a + b, 0n);
  }
};
