/** How an experiment's figures came to be what they are: the same sums as of successive moments, each reached from the one before by what changed. */
import { Injectable } from '@nestjs/common';
import { canonicalJson, formatInstant, type InstantUs, type Timeseries, type TimeseriesPoint } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { addSums, type ComparisonQuery, type ComparisonSums, FeedbackStore } from '@rampart/feedback-store';
import { comparedSegments, comparisonQuery, type DefinitionInForce, Definitions, policyOf } from '../definitions/definition-in-force.js';
import { DecisionLog } from '../looks/decision-log.js';
import { lookTarget } from '../looks/look-target.js';
import { Evidence } from '../results/evidence.source.js';
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

/** Points that were counted once; what was known at a moment does not change. */
const KEPT_POINTS = 5_000;

@Injectable()
export class TimeseriesService {
  private readonly kept = new Map<string, TimeseriesPoint>();
  /** One after another: each takes all cores of the store. */
  private inHand: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly definitions: Definitions,
    private readonly evidence: Evidence,
    private readonly store: FeedbackStore,
    private readonly decisions: DecisionLog,
  ) {}

  /** @throws DomainError experiment-not-found, environment-not-found, not-started, historical-environment, watermark-undefined, watermark-behind */
  async timeseries(request: TimeseriesRequest): Promise<Timeseries> {
    const { project, environment, experiment } = request;
    const watermarkUs = await this.evidence.watermark();
    if (watermarkUs === null) throw new DomainError('watermark-undefined', 'the watermark is undefined: ask again in a few seconds');
    const definition = this.definitions.inForce(project, environment, experiment, watermarkUs);
    requireLive(definition);
    const { knownUntilUs } = lookTarget(definition, watermarkUs);
    const query = comparisonQuery(definition, knownUntilUs);
    const moments = momentsOf(definition, request, knownUntilUs, watermarkUs);
    const counted = this.inHand.then(() => this.points(definition, query, moments));
    this.inHand = counted.catch(() => undefined);
    return {
      project,
      environment,
      experiment,
      comparison: comparisonOf(definition),
      policy: policyOf(definition),
      watermark: formatInstant(watermarkUs),
      points: await counted,
    };
  }

  private async points(
    definition: DefinitionInForce,
    query: ComparisonQuery,
    moments: readonly InstantUs[],
  ): Promise<readonly TimeseriesPoint[]> {
    const { knownUntilUs: _, ...meaning } = query;
    const series = canonicalJson([meaning, definition.experiment.plan]);
    const points: TimeseriesPoint[] = [];
    let last: { readonly atUs: InstantUs; readonly sums: ComparisonSums } | undefined;
    for (const atUs of moments) {
      const key = `${series}@${atUs}`;
      let point = this.kept.get(key);
      if (point === undefined) {
        const sums: ComparisonSums = await this.sumsAt({ ...query, knownUntilUs: atUs }, last);
        last = { atUs, sums };
        point = pointOf(definition, query, sums, atUs);
        this.keep(key, point);
      }
      points.push(this.told(definition, point, atUs));
    }
    return points;
  }

  private async sumsAt(
    query: ComparisonQuery,
    last: { readonly atUs: InstantUs; readonly sums: ComparisonSums } | undefined,
  ): Promise<ComparisonSums> {
    if (last === undefined) return this.store.sums(query);
    const [delta] = await this.store.delta([query], last.atUs);
    return delta === undefined ? this.store.sums(query) : addSums(last.sums, delta);
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

  private keep(key: string, point: TimeseriesPoint): void {
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
