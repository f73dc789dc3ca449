/** Small random worlds for property tests: few units, few ids and few instants, so that ties, boundaries, retries and late rows are the rule. */
import {
  BINARY_TYPES,
  type FeedbackRow,
  type MetricDefinition,
  type MetricInput,
  metricDefinition,
  type PropertyValue,
} from '@rampart/contracts';
import fc from 'fast-check';
import { type ComparisonQuery, END_OF_TIME, type PlacedRow } from '../feedback-store.js';

export interface World {
  readonly rows: readonly PlacedRow[];
  readonly query: ComparisonQuery;
  /** How the rows are delivered: indices into `rows`, some of them twice, cut into inserts. */
  readonly deliveries: readonly (readonly number[])[];
}

const START = 1_000;
const variants = ['a', 'a2', 'b', 'c', 'elsewhere'] as const;
const cells = [
  { variant: 'a', arm: 'control' },
  { variant: 'a2', arm: 'control' },
  { variant: 'b', arm: 'treatment' },
  { variant: 'c', arm: 'third' },
];

const text = fc.constantFrom('', 'de', 'de ', "it's", 'line\nbreak\ttab\\', '1', '12.5', 'ü😀', '{x:String}');
const number = fc.constantFrom(0, -0, 1, 12.5, 0.1, 1e-7, 0.0000005, 0.0000015, -3.25, 9.3e12, 1e21, 5e-324);
const property: fc.Arbitrary<PropertyValue> = fc.oneof(text, number, fc.boolean());
const propertyName = fc.constantFrom('country', 'amount', "it's");
const propertiesOfRow = fc.dictionary(propertyName, property, { maxKeys: 3, noNullPrototype: true });

const value = fc.constantFrom('0', '1000000', '2500000', '-7000001', '9200000000000000000', '-9200000000000000000', '3');

interface Arrival {
  readonly kind: FeedbackRow['kind'];
  readonly name: string;
  readonly unit: number;
  readonly id: number;
  /** Of the known time over the one before; 0 = the same message. */
  readonly gap: number;
  /** Known time over event time; negative: a clock that runs ahead. */
  readonly delay: number;
  /** Empty: the one that the unit usually has. */
  readonly variant: string;
  readonly segment: number | undefined;
  readonly reason: FeedbackRow['reason'] | undefined;
  readonly value: string | undefined;
  readonly properties: Readonly<Record<string, PropertyValue>> | undefined;
  readonly knownAfter: number | undefined;
}

/** Nearly everything happens at multiples of five, so that boundaries are met exactly, and sometimes one beside them. */
const often = <T>(times: number, usual: T): { weight: number; arbitrary: fc.Arbitrary<T> } => ({
  weight: times,
  arbitrary: fc.constant(usual),
});

const arrival: fc.Arbitrary<Arrival> = fc.record({
  kind: fc.constantFrom<FeedbackRow['kind'][]>('exposure', 'assignment', 'metric', 'metric', 'metric', 'metric', 'metric', 'feedback'),
  name: fc.constantFrom('buy', 'buy', 'buy', 'visit'),
  unit: fc.nat(2),
  id: fc.nat(99),
  gap: fc.constantFrom(0, 0, 0, 0, 0, 5, 5, 10, 1),
  delay: fc.constantFrom(0, 0, 0, 0, 5, 5, 10, 20, 40, 1, 4, -5),
  variant: fc.oneof(often(4, ''), { weight: 1, arbitrary: fc.constantFrom(...variants) }),
  segment: fc.constantFrom(undefined, 1, 1, 1, 2, 3),
  reason: fc.oneof(often<FeedbackRow['reason']>(6, 'SPLIT'), {
    weight: 2,
    arbitrary: fc.constantFrom<(FeedbackRow['reason'] | undefined)[]>(
      undefined,
      'OVERRIDE',
      'USER_CHANNEL',
      'HOLDOUT',
      'STATIC',
      'unknown',
    ),
  }),
  value: fc.option(value, { nil: undefined, freq: 6 }),
  properties: fc.option(propertiesOfRow, { nil: undefined }),
  knownAfter: fc.constantFrom(undefined, undefined, 0, 5, 30),
});

/** Where a world begins so, every unit has a usual exposure and much of what follows counts. */
const opening: readonly Arrival[] = [0, 1, 2].map((unit) => ({
  kind: 'exposure',
  name: 'buy',
  unit,
  id: unit,
  gap: 5,
  delay: 0,
  variant: '',
  segment: undefined,
  reason: 'SPLIT',
  value: undefined,
  properties: undefined,
  knownAfter: 0,
}));

const pseudonyms = ['00', '7f', '80', 'ff', '01'].map((byte) => `${byte}0123456789abcd${byte.repeat(8)}`);

const placed = (arrivals: readonly Arrival[], historical: boolean): readonly PlacedRow[] => {
  let offset = 0n;
  let row = -1n;
  let knownAtUs = START;
  return arrivals.map((one, at): PlacedRow => {
    if (one.gap > 0) {
      offset += 1n;
      row = -1n;
      knownAtUs += one.gap;
    }
    row += 1n;
    return { position: (offset << 12n) + row, knownAtUs, partition: 0, row: rowOf(one, at, knownAtUs, historical) };
  });
};

const rowOf = (one: Arrival, at: number, knownAtUs: number, historical: boolean): FeedbackRow => {
  const isExposure = one.kind === 'exposure' || one.kind === 'assignment';
  const happenedAt = knownAtUs - one.delay;
  return {
    kind: one.kind,
    project: 'shop',
    environment: 'live',
    // Some exposures are those of another experiment.
    name: isExposure ? (one.name === 'visit' ? 'other' : 'button') : one.name,
    unitType: 'user',
    unit: pseudonyms[one.unit] ?? '',
    source: 'test',
    // Ids are few, so that retries come with other times and values.
    id: String(one.id),
    at: happenedAt,
    ...(historical && one.knownAfter !== undefined ? { knownAt: happenedAt + one.knownAfter } : {}),
    ...(isExposure
      ? {
          variant: one.variant === '' ? (variants[one.unit % 4] ?? 'a') : one.variant,
          ...(one.segment === undefined ? {} : { segment: one.segment }),
          ...(one.reason === undefined ? {} : { reason: one.reason }),
        }
      : one.value === undefined
        ? {}
        : { value: one.value }),
    ...(one.properties === undefined ? {} : { properties: one.properties }),
    digest: at.toString(16).padStart(16, '0'),
    key: 'key',
  };
};

const timeline = fc.constantFrom<ComparisonQuery['timeline'][]>(
  [{ segment: 1, fromUs: START + 20 }],
  [
    { segment: 1, fromUs: 0 },
    { segment: 2, fromUs: START + 20 },
    { segment: 3, fromUs: START + 40 },
  ],
  [
    { segment: 2, fromUs: START },
    { segment: 1, fromUs: START + 15 },
  ],
);

const filter = fc.record(
  {
    property: propertyName,
    operator: fc.constantFrom('eq', 'ne', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'exists'),
    value: fc.oneof(text, number, fc.boolean(), fc.array(fc.oneof(text, number), { minLength: 1, maxLength: 3 })),
  },
  { requiredKeys: ['property', 'operator'] },
);

const selector = fc
  .record({
    event: fc.constantFrom('buy', 'buy', 'buy', 'buy', 'visit', 'visit', 'never'),
    filters: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(filter, { minLength: 1, maxLength: 2 }) },
    ),
    property: fc.oneof(often<string | undefined>(3, undefined), { weight: 1, arbitrary: propertyName }),
  })
  .map(({ property: taken, ...rest }) => (taken === undefined ? rest : { ...rest, property: taken }));

const aggregate = fc.constantFrom('sum', 'max', 'min', 'first', 'last', 'count');
const cap = fc.constantFrom('-1', '0.5', '2', '2.5', '9300000000000');

const capQuantile = fc.constantFrom(
  { upper: 0.7 },
  { upper: 0.999 },
  { lower: 0.3, upper: 0.6 },
  { lower: 0.2 },
  { upper: 0.5, ignoreZeros: true },
);

const ownCovariate = fc.record({ selector, lookbackUs: fc.constantFrom(5, 10, 20), whenMissing: fc.constantFrom('zero', 'exclude') });

const metric = fc
  .record({
    type: fc.constantFrom('proportion', 'mean', 'mean', 'mean', 'count', 'ratio', 'first-error', 'quantile', 'retention', 'funnel'),
    steps: fc.array(selector, { minLength: 1, maxLength: 2 }),
    quantileLevel: fc.constantFrom(0.001, 0.1, 0.5, 0.7, 0.95),
    quantileOf: fc.constantFrom('events', 'units'),
    numerator: selector,
    denominator: selector,
    aggregate,
    denominatorAggregate: aggregate,
    scale: fc.constantFrom(1, 1, 100),
    delayUs: fc.constantFrom(0, 0, 5, 10),
    windowUs: fc.constantFrom(null, 10, 20, 40),
    capLower: fc.option(cap, { nil: undefined }),
    capUpper: fc.option(cap, { nil: undefined }),
    capQuantile: fc.option(fc.record({ levels: capQuantile, cohort: fc.constantFrom(1, 3, 8, 1_000) }), { nil: undefined, freq: 1 }),
    covariate: fc.option(
      fc.record(
        { selector, denominator: selector, lookbackUs: fc.constantFrom(5, 10, 20), whenMissing: fc.constantFrom('zero', 'exclude') },
        { requiredKeys: ['lookbackUs', 'whenMissing'] },
      ),
      { nil: undefined },
    ),
    covariates: fc.option(fc.array(ownCovariate, { minLength: 2, maxLength: 3 }), { nil: undefined, freq: 1 }),
    population: fc.constantFrom('exposed', 'exposed', 'assigned'),
  })
  .map(({ capQuantile: caps, ...raw }) =>
    allowed({ ...raw, ...(caps === undefined ? {} : { capQuantile: { ...caps.levels, cohort: caps.cohort } }) } as unknown as MetricInput),
  );

/** Drops what a definition of that type may not have. */
const allowed = ({
  capLower: lowest,
  capUpper: highest,
  capQuantile: atQuantiles,
  denominator,
  covariate,
  covariates,
  aggregate: taken,
  quantileLevel,
  quantileOf,
  steps,
  ...rest
}: MetricInput): MetricDefinition => {
  const isBinary = BINARY_TYPES.has(rest.type);
  const isQuantile = rest.type === 'quantile';
  const isCapped = !isBinary && !isQuantile;
  const capLower = atQuantiles?.lower === undefined ? lowest : undefined;
  const capUpper = atQuantiles?.upper === undefined ? highest : undefined;
  const areOrdered = capLower === undefined || capUpper === undefined || Number(capLower) < Number(capUpper);
  return metricDefinition.parse({
    ...rest,
    key: 'metric',
    name: 'Metric',
    unitType: 'user',
    ...(isBinary || (isQuantile && quantileOf === 'events') ? {} : { aggregate: taken }),
    ...(isBinary || isQuantile || capLower === undefined ? {} : { capLower }),
    ...(isBinary || isQuantile || capUpper === undefined || !areOrdered ? {} : { capUpper }),
    ...(isCapped && atQuantiles !== undefined ? { capQuantile: atQuantiles } : {}),
    ...(isQuantile ? { quantileLevel, quantileOf } : {}),
    ...(rest.type === 'ratio' ? { denominator } : {}),
    ...(rest.type === 'funnel' ? { steps } : {}),
    ...(rest.type === 'retention' ? { delayUs: rest.delayUs || 5, windowUs: rest.windowUs ?? 20 } : {}),
    ...(rest.type === 'first-error' || rest.type === 'ratio' || isQuantile || covariates === undefined || covariate !== undefined
      ? {}
      : { covariates }),
    ...(rest.type === 'first-error' || isQuantile || covariate === undefined ? {} : { covariate: allowedCovariate(rest.type, covariate) }),
  });
};

const allowedCovariate = (type: MetricInput['type'], { denominator, ...covariate }: NonNullable<MetricInput['covariate']>) =>
  type !== 'ratio' || denominator === undefined ? covariate : { ...covariate, denominator };

const stratumValues = ['', 'de', 'de ', '1', '12.5', '0', '-3.25', '1e+21', '1e-7', 'true', 'false', "it's", 'never', 'NaN'];
const strata = fc.oneof(
  { weight: 2, arbitrary: fc.record({ property: propertyName, values: fc.subarray(stratumValues) }) },
  // The arms of the other experiment, of which those units have one that it counts.
  {
    weight: 1,
    arbitrary: fc.record({
      cells: fc.constantFrom(cells, cells.slice(0, 3), cells.toReversed()),
      segments: fc.constantFrom([1, 2, 3], [1]),
      timeline: fc.constantFrom<ComparisonQuery['timeline'][]>(
        [{ segment: 1, fromUs: 0 }],
        [
          { segment: 1, fromUs: 0 },
          { segment: 4, fromUs: START + 15 },
        ],
      ),
      multipleExposure: fc.constantFrom('exclude' as const, 'first' as const),
      allowedLatenessUs: fc.constantFrom(0, 10),
      earlier: fc.constantFrom(0, 0, 25),
    }),
  },
);

export const worlds: fc.Arbitrary<World> = fc
  .record({
    arrivals: fc.oneof(
      { weight: 1, arbitrary: fc.array(arrival, { minLength: 1, maxLength: 60 }) },
      { weight: 3, arbitrary: fc.array(arrival, { minLength: 50, maxLength: 80, size: 'max' }) },
    ),
    historical: fc.boolean(),
    opens: fc.constantFrom(true, true, false),
    metrics: fc.array(metric, { minLength: 1, maxLength: 5, size: 'max' }),
    segments: fc.constantFrom([1], [1, 2], [1, 2, 3], [2, 3]),
    timeline,
    reasonWhenMissing: fc.constantFrom('SPLIT' as const, 'unknown' as const),
    multipleExposure: fc.constantFrom('exclude' as const, 'first' as const),
    strata: fc.option(strata, { nil: undefined, freq: 2 }),
    allowedLatenessUs: fc.constantFrom(0, 5, 5, 10, 20),
    untilAfter: fc.oneof(often(2, END_OF_TIME - START), { weight: 1, arbitrary: fc.nat(20).map((fives) => 5 * fives) }),
    loggedAfter: fc.option(
      fc.nat(30).map((fives) => 5 * fives),
      { nil: undefined },
    ),
    capsOf: fc.constantFrom(undefined, 'first-closed' as const),
    order: fc.array(fc.nat(1_000_000), { minLength: 60, maxLength: 60 }),
    repeats: fc.array(fc.nat(79), { maxLength: 20 }),
    inserts: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ arrivals, historical, opens, metrics, untilAfter, loggedAfter, order, repeats, inserts, strata: asked, capsOf, ...rest }) => {
    const rows = placed(opens ? [...opening, ...arrivals] : arrivals, historical);
    const query: ComparisonQuery = {
      project: 'shop',
      environment: 'live',
      historical,
      experiment: 'button',
      unitType: 'user',
      cells,
      ...rest,
      knownUntilUs: START + untilAfter,
      ...(capsOf === undefined || historical ? {} : { capsOf }),
      ...(historical && loggedAfter !== undefined ? { loggedUntilUs: START + loggedAfter } : {}),
      metrics: metrics.map((definition) => ({ version: 1, definition })),
    };
    const withStrata = (): ComparisonQuery => {
      if (asked === undefined) return query;
      if ('property' in asked) return { ...query, strata: asked };
      const [{ capsOf: _, ...like }, { earlier, ...there }] = [query, asked];
      const about = { experiment: 'other', knownUntilUs: query.knownUntilUs - earlier, metrics: query.metrics.slice(0, 1) };
      return { ...query, strata: { armIn: { ...like, ...there, ...about } } };
    };
    const shuffled = [...rows.keys(), ...repeats.filter((index) => index < rows.length)]
      .map((index, at) => ({ index, at: order[at % order.length] ?? 0 }))
      .sort((a, b) => a.at - b.at)
      .map(({ index }) => index);
    const size = Math.ceil(shuffled.length / inserts);
    const deliveries = Array.from({ length: inserts }, (_, at) => shuffled.slice(at * size, (at + 1) * size));
    return { rows, query: withStrata(), deliveries };
  });

/** The same world at another time. */
export const shifted = ({ rows, query, deliveries }: World, byUs: number): World => ({
  rows: rows.map(({ row, ...place }) => ({
    ...place,
    knownAtUs: place.knownAtUs + byUs,
    row: { ...row, at: row.at + byUs, ...(row.knownAt === undefined ? {} : { knownAt: row.knownAt + byUs }) },
  })),
  query: {
    ...query,
    ...(query.loggedUntilUs === undefined ? {} : { loggedUntilUs: query.loggedUntilUs + byUs }),
    knownUntilUs: query.knownUntilUs === END_OF_TIME ? END_OF_TIME : query.knownUntilUs + byUs,
    timeline: query.timeline.map(({ segment, fromUs }) => ({ segment, fromUs: fromUs + byUs })) as unknown as ComparisonQuery['timeline'],
  },
  deliveries,
});

/** The same world in another environment: worlds share tables without seeing each other. */
export const movedTo = (environment: string, { rows, query, deliveries }: World): World => {
  const { strata } = query;
  const moved = strata !== undefined && 'armIn' in strata ? { strata: { armIn: { ...strata.armIn, environment } } } : {};
  return {
    rows: rows.map((placed) => ({ ...placed, row: { ...placed.row, environment } })),
    query: { ...query, environment, ...moved },
    deliveries,
  };
};

/** A world, and the instants at which it is looked at while its rows come in. */
export interface Watched {
  readonly world: World;
  /** Rising. */
  readonly looksAtUs: readonly number[];
  /** Before each look, so many of the newest rows are delivered once more. */
  readonly redelivered: readonly number[];
}

/** Nothing of it is historical: a history is looked at once. */
export const watchedWorlds: fc.Arbitrary<Watched> = fc
  .record({
    world: worlds.filter(({ query: { historical, strata: asked } }) => !historical && !(asked !== undefined && 'armIn' in asked)),
    gaps: fc.array(fc.constantFrom(1, 4, 5, 5, 10, 15, 20, 40), { minLength: 3, maxLength: 6 }),
    redelivered: fc.array(fc.nat(12), { minLength: 7, maxLength: 7 }),
  })
  .map(({ world, gaps, redelivered }) => {
    let atUs = START + 5;
    // The last look comes when every window has closed without a row in between.
    const looksAtUs = [atUs, ...gaps.map((gap) => (atUs += gap)), atUs + 1_000];
    return { world, looksAtUs, redelivered };
  });
