/** The port of the feedback store: rows in, exact integer sums out. Every adapter passes `feedbackStoreContract`. */
import { canonicalJson, type FeedbackRow, type InstantUs, type MetricDefinition } from '@rampart/contracts';

/** A row with its place in the log. */
export interface PlacedRow {
  readonly row: FeedbackRow;
  /** generation·2⁵⁶ + offset·2¹² + row in the message: the lowest position of an id wins. */
  readonly position: bigint;
  /** By the log. A row's own `knownAt` (historical environments) takes its place in every sum. */
  readonly knownAtUs: InstantUs;
  /** Of the topic, default 0: a message that arrives twice is told from another by it. */
  readonly partition?: number;
}

/** What the store has of one partition: everything up to and including this offset, known up to this time. */
export interface Progress {
  readonly topic: string;
  readonly partition: number;
  readonly generation: number;
  readonly offset: bigint;
  readonly knownAtUs: InstantUs;
}

/** A cell of the design; its place in `cells` is its index everywhere below. */
export interface DesignCell {
  readonly variant: string;
  readonly arm: string;
}

export interface SegmentStart {
  readonly segment: number;
  readonly fromUs: InstantUs;
}

/** Everything that decides which rows count, and nothing else: the same query over the same rows gives the same integers. */
export interface ComparisonQuery {
  readonly project: string;
  readonly environment: string;
  readonly historical: boolean;
  readonly experiment: string;
  readonly unitType: string;
  readonly cells: readonly DesignCell[];
  /** The segments that are compared together. */
  readonly segments: readonly number[];
  /** All segments, in their order: a report that names none belongs to the one in force at its time. The first has always been in force. */
  readonly timeline: readonly [SegmentStart, ...SegmentStart[]];
  /** What a report without reason is: randomised where assignment is external, unknown otherwise. */
  readonly reasonWhenMissing: 'SPLIT' | 'unknown';
  readonly multipleExposure: 'exclude' | 'first';
  /** L of the plan. */
  readonly allowedLatenessUs: number;
  /** Rows known later are not there (asOf, watermark, or closing time, whichever is least). Historical: use `END_OF_TIME`. */
  readonly knownUntilUs: InstantUs;
  /** Historical: rows that the log itself knew later are not there, whenever they say that they became known. Absent: every row is. */
  readonly loggedUntilUs?: InstantUs;
  /** Absent: all units are of one stratum. */
  readonly strata?: Strata;
  /** Whether quantile metrics are asked for their order statistics, which only a count of all rows has. */
  readonly quantiles?: boolean;
  /** … of each stratum by itself, to be shown: those of one look that decides are of whole arms. */
  readonly quantilesByStratum?: boolean;
  /** … with the ladder of order statistics that holds at every look. */
  readonly quantileLadder?: boolean;
  /**
   * Whose totals give the caps of metrics with `capQuantile`: `first-closed` = the units that close first, as many as the metric says, by the time of their first
   * exposure (all of the last moment), which stay the same ones for ever. Absent: all that are counted.
   */
  readonly capsOf?: 'first-closed';
  readonly metrics: readonly MetricQuery[];
}

export type Strata = PropertyStrata | ArmStrata;

/** Units told apart by a property of their first exposure event: nothing that came later moves a unit to another stratum. */
export interface PropertyStrata {
  readonly property: string;
  /** As texts: the number 1, like the text "1", is "1"; the empty text is that of units without the property. All others are one stratum. */
  readonly values: readonly string[];
}

/**
 * Units told apart by the arm in which another comparison of the same environment counts them, as of its own known time, which is not after this one's. In none
 * of its arms is whom it does not count, nor whom it saw in two of them, at any time, where it excludes those.
 */
export interface ArmStrata {
  readonly armIn: ComparisonQuery;
}

/** The arms of a comparison in the order of its cells. */
export const armsOf = ({ cells }: Pick<ComparisonQuery, 'cells'>): readonly string[] => [...new Set(cells.map(({ arm }) => arm))];

export const strataValues = (strata: Strata): readonly string[] => ('armIn' in strata ? armsOf(strata.armIn) : strata.values);

/** Of the units that `strata` does not name. */
export const OTHER_STRATUM = '*';
/** How sums name the stratum of a value; without strata it is the empty text. */
export const stratumOf = (value: string): string => `=${value}`;

export interface StratumCount {
  /** As in `PropertyStrata.values`. */
  readonly value: string;
  readonly units: number;
}

/** Units of a cell of which an event has come. */
export interface TrackedCount {
  readonly cell: number;
  readonly segment: number;
  readonly units: number;
}

export interface MetricQuery {
  readonly version: number;
  readonly definition: MetricDefinition;
  /** In place of `capQuantile`, where they are known already. */
  readonly caps?: MetricCaps;
}

/** What a query asks, whatever the moment: the same text for the same question. */
export const meaningOf = ({ knownUntilUs: _, ...query }: ComparisonQuery): string =>
  canonicalJson({ ...query, metrics: query.metrics.map(({ caps, ...metric }) => ({ ...metric, caps: caps && inWords(caps) })) });

const inWords = ({ lower, upper, ...caps }: MetricCaps) => ({ ...caps, lower: String(lower), upper: String(upper) });

/** Caps of a metric's numerator that its own totals gave; in its integers, as sums. */
export interface MetricCaps {
  readonly lower: bigint | null;
  readonly upper: bigint | null;
  /** Of all arms, whose totals gave them. */
  readonly units: number;
  /** They stay as they are, whatever becomes known later. */
  readonly areFixed: boolean;
}

/**
 * The integers of one metric in one (variant, segment, stratum). Values in millionths (squares: 1e-12) of the value that events carry, so of the metric's
 * unit × `scale`. What is counted (`count`, `proportion`, `first-error`, aggregate `count`) has no scale: one event is 1,000,000.
 */
export interface MetricSums {
  /** Closed units in the analysis set; all units where the metric has no window, or counts first errors, which can't wait for its end. */
  readonly units: number;
  /** Units whose window is not over at `knownUntilUs`: not in the sums yet. */
  readonly openUnits: number;
  readonly sum: bigint;
  readonly sumSquares: bigint;
  /** Ratio only. */
  readonly denominatorSum: bigint;
  readonly denominatorSumSquares: bigint;
  readonly crossSum: bigint;
  /** One covariate only: over the units that have it (`whenMissing: exclude`) or over all of them (`zero`). */
  readonly covariate: null | {
    readonly units: number;
    readonly sum: bigint;
    readonly sumSquares: bigint;
    readonly covariateSum: bigint;
    readonly covariateSumSquares: bigint;
    readonly covariateCrossSum: bigint;
  };
  /** Where several values of a unit are adjusted together: a ratio with what it was before. Over the same units as `covariate`. */
  readonly joint?: JointSums;
  /** Rows that came after the unit had closed: counted, moving nothing. */
  readonly lateEvents: number;
  /** Rows whose numeric property did not convert: left out. */
  readonly unconverted: number;
}

/** Values per unit in this order: numerator, denominator (ratio only), covariates (of a ratio: numerator before, denominator before). */
export interface JointSums {
  readonly units: number;
  readonly sums: readonly bigint[];
  /** Σ x_i·x_j for i ≤ j, row by row. */
  readonly products: readonly bigint[];
}

/** Where a share of an arm's observations ends, and how far it may be off. Values in the metric's integers, as sums. */
export interface ArmQuantile {
  readonly arm: string;
  /** As in `CellSums`, where the query asks for them by stratum. */
  readonly stratum?: string;
  /** Values of events, or units. */
  readonly observations: number;
  /** At `quantileRanks`; 0 without observations. */
  readonly quantile: bigint;
  readonly lower: bigint;
  readonly upper: bigint;
  /** At `ladderRanks`, where the query asks for them: ranks rise, values don't fall. */
  readonly ladder?: readonly { readonly rank: number; readonly value: bigint }[];
  /** Of events: over all closed units of the arm, x = its events, y = those at or below the quantile. */
  readonly clusters: null | {
    readonly sumX: bigint;
    readonly sumY: bigint;
    readonly sumSquaresX: bigint;
    readonly sumSquaresY: bigint;
    readonly sumProducts: bigint;
  };
}

export interface CellSums {
  /** Index into `cells`. */
  readonly cell: number;
  readonly segment: number;
  /** `stratumOf` a value, or `OTHER_STRATUM`; empty where the query has no strata. */
  readonly stratum: string;
  /** Parallel to the query's `metrics`. */
  readonly metrics: readonly MetricSums[];
}

/** Units by their first exposure. `cell` −1 = a variant that the definition does not have. */
export interface PopulationCount {
  readonly cell: number;
  readonly segment: number;
  /** As in `CellSums`; absent where the query has no strata. */
  readonly stratum?: string;
  readonly kind: 'counted' | 'own-choice' | 'override' | 'unknown-variant' | 'reason-unknown' | 'two-arms' | 'not-randomised';
  readonly units: number;
}

export interface ComparisonSums {
  readonly cells: readonly CellSums[];
  readonly population: readonly PopulationCount[];
  /** Exposures that were not admissible: known more than L after their time. */
  readonly lateExposures: number;
  /** Units that showed up in a second arm after every window of theirs had closed. */
  readonly crossedLate: number;
  /** Where the query asks for quantiles, in the order of the metrics; arms in the order of the cells. A delta has none. */
  readonly quantiles?: readonly { readonly metric: number; readonly arms: readonly ArmQuantile[] }[];
  /** Of the metrics with `capQuantile`, in their order. Of a delta: those of its end. */
  readonly caps?: readonly ({ readonly metric: number } & MetricCaps)[];
}

/** Rows that arrived, distinct rows that are kept, and ids that came with two contents. */
export interface DuplicateCount {
  readonly accepted: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly idsReused: number;
}

export interface MetricPreview {
  readonly events: number;
  readonly matching: number;
  readonly unconverted: number;
  readonly units: number;
  /** Per unit, in millionths; null without units. */
  readonly sum: bigint | null;
  readonly firstAtUs: InstantUs | null;
  readonly lastAtUs: InstantUs | null;
}

/** The comparison whose units are asked for. */
export type ErasureQuery = Pick<ComparisonQuery, 'project' | 'environment' | 'experiment' | 'unitType'>;

/** Far enough, and still a safe integer. */
export const END_OF_TIME: InstantUs = 8_640_000_000_000_000;

/** @throws RangeError when the queries of a delta do not end together, or end before it begins, or are about a part of a history, or can't be moved */
export const untilOf = (queries: readonly ComparisonQuery[], sinceUs: InstantUs): InstantUs => {
  const untils = [...new Set(queries.map(({ knownUntilUs }) => knownUntilUs))];
  const [until = sinceUs] = untils;
  if (untils.length > 1) throw new RangeError(`the queries of a delta must have one knownUntilUs, got ${untils.join(' and ')}`);
  if (queries.some(({ loggedUntilUs }) => loggedUntilUs !== undefined))
    throw new RangeError('a delta is of what becomes known while time goes on: a history up to a completion is counted whole');
  if (queries.some(({ quantiles }) => quantiles === true))
    throw new RangeError('a delta has no order statistics: a query that asks for quantiles is counted whole');
  if (queries.some(({ strata }) => strata !== undefined && 'armIn' in strata))
    throw new RangeError('units come to have an arm in another comparison later: a query with such strata is counted whole');
  if (until < sinceUs) throw new RangeError(`a delta must not end before it begins: knownUntilUs ${until} < sinceUs ${sinceUs}`);
  return until;
};

export interface StoreServer {
  readonly version: string;
  /** By its own clock. */
  readonly nowUs: InstantUs;
  readonly disks: readonly { readonly path: string; readonly freeBytes: number; readonly totalBytes: number }[];
}

export interface Expiry {
  /** Whose rows may go. */
  readonly environments: readonly { readonly project: string; readonly environment: string }[];
  /** Rows that were known before; null: none go. */
  readonly beforeUs: InstantUs | null;
  /** Comparisons that are still counted: what they read stays, from `neededSinceUs` on. */
  readonly open: readonly ComparisonQuery[];
  /** Counters of ingestion, and letters that were not believed, from before. */
  readonly countsBeforeUs: InstantUs;
  readonly lettersBeforeUs: InstantUs;
}

/** The rows of one insert, gathered piece by piece: what an adapter keeps of them is little more than what the store will be sent. */
export interface Gathering {
  /** @throws StoreError a row has no place in the store; then none of the gathering may be inserted */
  add(rows: readonly PlacedRow[]): void;
  /** As `insert` of the store, without progress; once. */
  insert(): Promise<void>;
}

export abstract class FeedbackStore {
  /** Creates or upgrades the schema; safe to call from several processes. */
  abstract prepare(): Promise<void>;
  /**
   * Stores rows, then their progress: when it resolves both are durable. Repeats are harmless. Throws `StoreError {retriable}`.
   * Rows of a partition must come in its order where one of them is an `erasure`: it removes the unit's rows at smaller positions that are there by then.
   */
  abstract insert(rows: readonly PlacedRow[], progress: readonly Progress[]): Promise<void>;
  /** For an insert of many rows that don't come all at once. Not for rows of kind `erasure`. */
  abstract gather(): Gathering;
  abstract progress(topic: string): Promise<readonly Progress[]>;
  abstract sums(query: ComparisonQuery): Promise<ComparisonSums>;
  /** Those of its sums, where it asks for them: what can't be moved, for whoever moves the rest. Without quantile metrics there are none. */
  abstract quantiles(query: ComparisonQuery): Promise<NonNullable<ComparisonSums['quantiles']>>;
  /**
   * What has changed since: for each query its sums less the same query's as of `sinceUs`, signed; `addSums` makes the new sums of the old ones. Cheaper
   * than recounts as long as few units have changed, the more so for many queries at once. All queries have one `knownUntilUs`, not before `sinceUs`,, none
   * asks for quantiles or has strata by arms of another comparison, which units join later (RangeError).
   */
  abstract delta(queries: readonly ComparisonQuery[], sinceUs: InstantUs): Promise<readonly ComparisonSums[]>;
  /** The most frequent values of a property among units whose first exposure is randomised: those with most units first, then by text. */
  abstract strata(query: ComparisonQuery, property: string, limit: number): Promise<readonly StratumCount[]>;
  /**
   * Of the units that the population counts, those of which any event that the metrics read has come since their first exposure, whatever it is worth to a
   * metric; in the order of cells and segments, those without any left out. Without metrics there are none.
   */
  abstract tracked(query: ComparisonQuery): Promise<readonly TrackedCount[]>;
  /**
   * Erasures known after `sinceUs` that took exposures or assignments of the query's experiment: so many units are missing from what was counted then.
   * A unit that came back and was erased again counts twice: nothing that names it is kept.
   */
  abstract erasedUnits(query: ErasureQuery, sinceUs: InstantUs): Promise<number>;
  /** Known time of the last erasure that took any row; null without one. Sums as of before it are no longer what they were. */
  abstract lastErasureUs(): Promise<InstantUs | null>;
  /**
   * Those of which rows of the unit at smaller positions are here: none of the erasures that were inserted, unless somebody inserted such rows afterwards.
   * @param erasures  rows of kind `erasure`
   */
  abstract outlived(erasures: readonly PlacedRow[]): Promise<readonly PlacedRow[]>;
  /** Of this filling of the store: what was read into it must be read again into another one. Changes with `reset`. */
  abstract identity(): Promise<string>;
  /** Empties the store: everything in it can be made again from the log. */
  abstract reset(): Promise<void>;
  /** Removes old rows; what is gone is remembered first, so that nobody takes a smaller sum for the sum. Rows go in the servers' own time. */
  abstract expire(expiry: Expiry): Promise<void>;
  /** Rows that the query reads and that were known before this moment are gone; null where none are. */
  abstract expiredUntil(query: ComparisonQuery): Promise<InstantUs | null>;
  /** An empty store on the same servers, to be filled while this one serves. What an earlier one left there goes. */
  abstract beside(): Promise<FeedbackStore>;
  /**
   * Puts what was filled beside in this one's place, its filling included, and drops what was here. Nobody may insert meanwhile; whoever reads gets the
   * rows of either. What only people look at (counters, dead letters) stays. A process that dies in the middle leaves progress that is too low: rows
   * are read again.
   */
  abstract takeOver(beside: FeedbackStore): Promise<void>;
  /** Repairs what a full disk left damaged, as far as that can be repaired; to be asked now and then. @returns what could not be: rows may be missing */
  abstract mend(): Promise<readonly string[]>;
  /** What each server says of itself; rejects with a StoreError where one is away. */
  abstract servers(): Promise<readonly StoreServer[]>;
  abstract close(): Promise<void>;
}
