/** How an experiment's figures came to be what they are: the same sums as of successive moments, each reached from the one before by what changed. */
import { Injectable } from '@nestjs/common';
import { canonicalJson, formatInstant, type InstantUs, type Timeseries, type TimeseriesPoint } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { type ComparisonQuery, type ComparisonSums, FeedbackStore, meaningOf } from '@rampart/feedback-store';
import {
  comparedSegments,
  comparisonQuery,
  type DefinitionInForce,
  Definitions,
  NOT_THERE,
  policyOf,
  shownQuantiles,
} from '../definitions/definition-in-force.js';
import { DecisionLog } from '../looks/decision-log.js';
import { lookTarget } from '../looks/look-target.js';
import { Evidence } from '../results/evidence.source.js';
import { askedAt, CountedMoments } from './counted-moments.js';
import { CountedQuantiles } from './counted-quantiles.js';
import { momentsBetween } from './moments.js';
import { pointOf } from './points.js';

export interface TimeseriesRequest {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  readonly fromUs: InstantUs | null;
  readonly untilUs: InstantUs | null;
  readonly points: number;
}

/** Points that were counted once. */
const KEPT_POINTS = 10_000;
/** For order statistics, after which a chart is better drawn without some of them. */
const PATIENCE_MS = 1_500;

interface KeptPoint {
  readonly point: TimeseriesPoint;
  /** While order statistics are missing: what they will be joined to. */
  readonly sums: ComparisonSums | null;
}

@Injectable()
export class TimeseriesService {
  private readonly kept = new Map<string, KeptPoint>();
  private readonly moments: CountedMoments;
  private readonly quantiles: CountedQuantiles;

  constructor(
    private readonly definitions: Definitions,
    private readonly evidence: Evidence,
    store: FeedbackStore,
    private readonly decisions: DecisionLog,
  ) {
    this.moments = new CountedMoments(store);
    this.quantiles = new CountedQuantiles(store);
  }

  /** @throws DomainError experiment-not-found, environment-not-found, not-started, historical-environment, watermark-undefined, watermark-behind */
  async timeseries(request: TimeseriesRequest): Promise<Timeseries> {
    const { project, environment, experiment } = request;
    const watermarkUs = await this.evidence.watermark();
    if (watermarkUs === null) throw new DomainError('watermark-undefined', 'the watermark is undefined: ask again in a few seconds');
    const definition = this.definitions.inForce(project, environment, experiment, watermarkUs);
    requireLive(definition);
    const { knownUntilUs } = lookTarget(definition, watermarkUs);
    const query = { ...comparisonQuery(definition, knownUntilUs), ...shownQuantiles(definition) };
    const moments = momentsOf(definition, request, knownUntilUs, watermarkUs).filter((atUs) => this.isCompared(definition, atUs));
    const points = await this.points(definition, query, moments);
    return {
      project,
      environment,
      experiment,
      comparison: comparisonOf(definition),
      policy: policyOf(definition),
      watermark: formatInstant(watermarkUs),
      counting: points.filter(({ sums }) => sums !== null).length,
      points: points.map(({ point }, index) => this.told(definition, point, moments[index] ?? knownUntilUs)),
    };
  }

  /** The log knows a start a moment after it was made: before that, nothing can be asked "as of". */
  private isCompared(definition: DefinitionInForce, atUs: InstantUs): boolean {
    try {
      const then = this.definitions.inForce(definition.project, definition.environment.key, definition.experiment.key, atUs);
      return comparedSegments(then.state)?.[0].comparison === comparisonOf(definition);
    } catch (error) {
      if (error instanceof DomainError && NOT_THERE.has(error.code)) return false;
      throw error;
    }
  }

  private async points(
    definition: DefinitionInForce,
    query: ComparisonQuery,
    moments: readonly InstantUs[],
  ): Promise<readonly KeptPoint[]> {
    const asked = moments.map((atUs) => askedAt(query, atUs));
    const points: KeptPoint[] = [];
    for (const one of asked) points.push(await this.pointAt(definition, one));
    const missing = asked.filter((_, index) => points[index]?.sums !== null);
    if (missing.length === 0) return points;
    await this.quantiles.count(missing.toReversed(), PATIENCE_MS);
    return Promise.all(asked.map((one) => this.pointAt(definition, one)));
  }

  private async pointAt(definition: DefinitionInForce, query: ComparisonQuery): Promise<KeptPoint> {
    const atUs = query.knownUntilUs;
    const key = `${canonicalJson(definition.experiment.plan)} ${meaningOf(query)} ${atUs}`;
    const kept = this.kept.get(key);
    if (kept?.sums === null) return kept;
    // Order statistics can't be moved from one moment to the next.
    const { quantiles: isAsked = false, quantileLadder: _, ...movable } = query;
    const sums = kept?.sums ?? (await this.moments.at(movable));
    const quantiles = isAsked ? this.quantiles.of(query) : undefined;
    if (kept !== undefined && quantiles === undefined) return kept;
    const point = pointOf(definition, query, quantiles === undefined ? sums : { ...sums, quantiles }, atUs);
    const found = { point, sums: isAsked && quantiles === undefined ? sums : null };
    this.keep(key, found);
    return found;
  }

  /** What was said then, by the records; it is not judged anew. */
  private told({ project, environment, experiment, state }: DefinitionInForce, point: TimeseriesPoint, atUs: InstantUs): TimeseriesPoint {
    const comparison = comparedSegments(state)?.[0].comparison ?? 0;
    const head = this.decisions.newestAsOf(
      { project, environment: environment.key, experiment: experiment.key, comparison, stage: null },
      atUs,
    );
    return head === undefined ? point : { ...point, record: head.id, verdict: head.verdict.verdict, sentence: head.verdict.sentence };
  }

  private keep(key: string, point: KeptPoint): void {
    this.kept.set(key, point);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT_POINTS && oldest !== undefined) this.kept.delete(oldest);
  }
}

const comparisonOf = ({ state }: DefinitionInForce): number => comparedSegments(state)?.[0].comparison ?? 0;

const requireLive = ({ environment, experiment }: DefinitionInForce): void => {
  if (environment.kind === 'live') return;
  const message = `${environment.key} holds history, which has one look and no course of looks: see GET /v1/experiments/${experiment.key}/results`;
  throw new DomainError('historical-environment', message, { environment: environment.key });
};

const momentsOf = (
  definition: DefinitionInForce,
  { fromUs, untilUs, points }: TimeseriesRequest,
  knownUntilUs: InstantUs,
  watermarkUs: InstantUs,
): readonly InstantUs[] => {
  if (untilUs !== null && untilUs > watermarkUs) {
    const message = `until ${formatInstant(untilUs)} is beyond the watermark ${formatInstant(watermarkUs)}: not everything known by then is stored; ask again later`;
    throw new DomainError('watermark-behind', message, { until: formatInstant(untilUs), watermark: formatInstant(watermarkUs) });
  }
  const startedAtUs = comparedSegments(definition.state)?.[0].startedAtUs ?? 0;
  const endUs = Math.min(untilUs ?? knownUntilUs, knownUntilUs);
  return momentsBetween(Math.max(fromUs ?? startedAtUs, startedAtUs), endUs, points);
};
