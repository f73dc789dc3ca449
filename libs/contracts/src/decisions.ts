/**
 * Looks, verdicts and decision records as they cross processes. `look.v1` keeps the newest look of each comparison; a record is proposed by analysis in
 * `record-proposals.v1`, appended by experiments if it continues the newest one, and told to everybody in `decisions.v1`: only there it counts.
 */
import type { EnvironmentDefinition } from './definitions.js';
import type { ExperimentDefinition, ExperimentState, MetricUse } from './experiments.js';
import type { InstantUs } from './instants.js';
import type { MetricDefinition } from './metrics.js';
import type { Actions, Crossing, PopulationRow, TakenLook, Verdict, VerdictKind } from './results.js';
import type { SufficientStatistics } from './sufficient-statistics.js';

/** What is looked at: one comparison of an experiment in an environment, in a stage where a ramp has stages. */
export interface ComparisonPlace {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  /** Of the segments compared together. */
  readonly comparison: number;
  /** Null for an experiment that is no ramp. */
  readonly stage: string | null;
}

/**
 * Names a comparison in keys and indexes; none of its parts holds a slash. Without its stage: stages share their evidence, what was crossed in one is
 * crossed in the next, and their records form one chain.
 */
export const comparisonKey = ({ project, environment, experiment, comparison }: Omit<ComparisonPlace, 'stage'>): string =>
  [project, environment, experiment, comparison, '-'].join('/');

export type Policy = 'stage' | 'ship';

/** `look.v1`, keyed by `comparisonKey`: light, the newest wins. */
export interface LookMessage extends ComparisonPlace {
  readonly policy: Policy;
  readonly definitionVersion: number;
  /** W: rows known later are not in it. */
  readonly knownUntilUs: InstantUs;
  readonly verdict: VerdictKind;
  readonly sentence: string;
  readonly actions: Actions;
  /** In the analysis set, all arms. */
  readonly units: number;
  /** The newest record when the look was taken. */
  readonly record: string | null;
  readonly lookedAtUs: InstantUs;
}

/** Everything about an experiment that its evidence and verdict depend on, as it was in force. */
export interface RecordedDefinition {
  readonly environment: EnvironmentDefinition;
  readonly experiment: ExperimentDefinition;
  readonly version: number;
  readonly state: ExperimentState;
  readonly metrics: readonly { readonly use: MetricUse; readonly version: number; readonly definition: MetricDefinition }[];
}

export type RecordCause = 'first' | 'verdict' | 'crossing' | 'definition' | 'daily' | 'stage-action' | 'planned-look' | 'closing';

/** A verdict with all that it takes to recount it. */
export interface DecisionRecord extends ComparisonPlace {
  /** SHA-256 of place, policy, definition and W, as 64 hex digits: the same look twice is the same record. */
  readonly id: string;
  /** Of the same comparison; null for its first. */
  readonly previous: string | null;
  readonly cause: RecordCause;
  readonly policy: Policy;
  readonly knownUntilUs: InstantUs;
  /** Of a history: when its import.completed.v1 came into force: rows that the log knew later are not in it. Absent in records of engine `rampart/1`. */
  readonly completedAtUs?: InstantUs;
  readonly definition: RecordedDefinition;
  /** Names of events that had arrived in the day before W: their silence means zero. */
  readonly seenEvents: readonly string[];
  readonly sums: readonly SufficientStatistics[];
  readonly population: readonly PopulationRow[];
  readonly verdict: Verdict;
  readonly actions: Actions;
  /** All of the comparison up to and with this look. */
  readonly latched: readonly Crossing[];
  /** Of a plan of several looks, all that were taken up to and with this one; absent in other plans. */
  readonly looks?: readonly TakenLook[];
  /** What the verdict was made of, to 12 significant digits; sorted by name. */
  readonly numbers: Readonly<Record<string, string>>;
  readonly evidenceDigest: string;
  /** Of verdict, rule, latched and numbers: equal on the same engine version. */
  readonly conclusionDigest: string;
  /** Of the statistics and rules that judged. */
  readonly engine: string;
  /** SHA-256 (hex) of everything else in it, as RFC 8785 JSON; absent in records of engine `rampart/1`. */
  readonly seal?: string;
}

/** `record-proposals.v1`. */
export interface RecordProposal {
  readonly record: DecisionRecord;
}

/** `decisions.v1`: appended records in their order. */
export interface RecordedDecision {
  readonly record: DecisionRecord;
  readonly recordedAtUs: InstantUs;
  /** Of its stream, from 1. */
  readonly revision: number;
}

/** One line of `GET /v1/experiments/{key}/decisions`, newest first. */
export interface DecisionSummary extends ComparisonPlace {
  readonly id: string;
  readonly previous: string | null;
  readonly cause: RecordCause;
  readonly policy: Policy;
  readonly knownUntil: string;
  readonly recordedAt: string;
  readonly verdict: VerdictKind;
  readonly rule: string;
  readonly sentence: string;
  readonly actions: Actions;
  readonly units: number;
  readonly evidenceDigest: string;
  readonly conclusionDigest: string;
}

/** Answer of `POST /v1/decisions/{id}/replay`. */
export interface Replay {
  readonly id: string;
  readonly evidence: {
    readonly same: boolean;
    readonly recorded: string;
    /** Null for an altered record that could not be counted again: then `same` is false. */
    readonly recounted: string | null;
    /** Which sums differ, both values each; empty when the same. */
    readonly differences: readonly SumDifference[];
  };
  readonly conclusion: {
    readonly same: boolean;
    readonly recorded: string;
    readonly recounted: string | null;
    readonly differences: readonly { readonly what: string; readonly recorded: string | null; readonly recounted: string | null }[];
  };
  /** Units of the comparison that were erased since it was recorded: the record keeps their sums, the rows are gone. Not an alteration. */
  readonly erasedUnits: number;
  /** Whether the record is what was appended: its id, digests and seal fit its contents, and it continues the record before it. */
  readonly intact: boolean;
  readonly engine: { readonly recorded: string; readonly now: string };
  readonly sentence: string;
}

export interface SumDifference {
  /** Null: the population. */
  readonly metric: string | null;
  readonly arm: string;
  readonly variant: string;
  readonly segment: number | null;
  readonly field: string;
  readonly recorded: string | null;
  readonly recounted: string | null;
}

/** What became of a record that was to be recounted. */
export type ReplayStatus =
  /** The same rows give the same sums, and the same rules the same verdict. */
  | 'same'
  /** Another number, by the rows or by the rules. */
  | 'differs'
  /** The record itself is not what was appended. */
  | 'altered'
  /** Nobody can say any more, or yet. */
  | 'not-recountable';

/** One record of `POST /v1/decisions/replay`. */
export interface ReplayedRecord extends ComparisonPlace {
  readonly id: string;
  readonly knownUntil: string;
  readonly recordedAt: string;
  readonly cause: RecordCause;
  readonly status: ReplayStatus;
  readonly sentence: string;
  /** Why it can't be recounted: `watermark-behind`, `rows-expired`, `units-erased`; null for all others. */
  readonly code: string | null;
  /** The first of them. */
  readonly differences: readonly SumDifference[];
  /** Of the statistics that judged then. */
  readonly engine: string;
  /** SHA-256 of the record as the log has it, as RFC 8785 JSON: what the control plane's history must have, too. */
  readonly digest: string;
}

/** Answer of `POST /v1/decisions/replay`: in the order in which they were appended. */
export interface ReplayedPage {
  readonly items: readonly ReplayedRecord[];
  /** What `after` must be for the next page; null: there is none. */
  readonly next: string | null;
  /** Records that were asked for, all pages together, as of now. */
  readonly total: number;
  /** Messages of `decisions.v1` that are no records. */
  readonly unreadable: number;
  /** That judges now. */
  readonly engine: string;
}

/** A line of the answer of `POST /v1/decisions/{id}/rows`: how far it is, and last what was found. */
export type RowCheckLine = RowCheckProgress | RowCheckResult;

export interface RowCheckProgress {
  /** Messages of the log. */
  readonly read: number;
  readonly toRead: number;
}

/** Rows of which the store has something else than the log. */
export interface RowCheckResult {
  /** In the order in which they became known; not all where there are many. */
  readonly rows: readonly DifferingRow[];
  readonly hasMore: boolean;
  /** Rows that became known before are not judged, since log or store have been cut; null: all were. */
  readonly judgedSince: string | null;
}

export interface DifferingRow {
  /** The store has other content, nothing, or a row that the log does not have. */
  readonly kind: 'altered' | 'missing' | 'too-many';
  /** What the log has at its place; null where that is nothing. */
  readonly event: { readonly source: string; readonly id: string; readonly name: string; readonly place: string } | null;
  /** Pseudonym. */
  readonly unit: string;
  /** The first 128 bits of SHA-256(source NUL id), as hex digits. */
  readonly idHash: string;
  readonly columns: readonly { readonly column: string; readonly store: string; readonly log: string }[];
}

/** One record of `GET /v1/admin/decisions`: what the control plane's history holds. */
export interface RecordedDigest extends ComparisonPlace {
  readonly id: string;
  readonly recordedAt: string;
  readonly digest: string;
}

/** `GET /v1/experiments/{key}/timeseries`: the same figures as results, as of successive moments. */
export interface Timeseries {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  readonly comparison: number;
  readonly policy: Policy;
  readonly watermark: string | null;
  /** Points whose quantiles are still being counted, and are null until then: ask again in a few seconds. */
  readonly counting: number;
  readonly points: readonly TimeseriesPoint[];
}

export interface TimeseriesPoint {
  readonly asOf: string;
  readonly units: number;
  /** The newest decision record at that moment, and what it said; null before the first. */
  readonly record: string | null;
  readonly verdict: VerdictKind | null;
  readonly sentence: string | null;
  readonly metrics: readonly {
    readonly metric: string;
    readonly arms: readonly { readonly arm: string; readonly n: number; readonly mean: number | null }[];
    readonly comparisons: readonly {
      readonly treatment: string;
      readonly control: string;
      readonly estimate: number | null;
      readonly lower: number | null;
      readonly upper: number | null;
      readonly relative: { readonly estimate: number | null; readonly lower: number | null; readonly upper: number | null };
      readonly p: number | null;
    }[];
  }[];
}
