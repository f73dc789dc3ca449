/** From a definition and the store's sums to the results document: figures, quality, verdict, warnings. */
import { Injectable, Optional } from '@nestjs/common';
import {
  type DimensionBreakdown,
  type Exploration,
  formatInstant,
  type Interaction,
  type MetricDefinition,
  type Results,
} from '@rampart/contracts';
import { DomainError, isWatched, type PlanState } from '@rampart/domain';
import { type ComparisonQuery, END_OF_TIME } from '@rampart/feedback-store';
import {
  comparedSegments,
  comparisonQuery,
  type DefinitionInForce,
  Definitions,
  hasQuantiles,
  NOT_THERE,
  planInForceOf,
  planOf,
  shownQuantiles,
} from '../definitions/definition-in-force.js';
import { breakdownOf } from '../figures/breakdown.js';
import { type Conclusion, conclude } from '../figures/conclusion.js';
import { exploredFigures, exploring } from '../figures/exploration.js';
import { interactionOf } from '../figures/interaction.js';
import type { Figures } from '../figures/look-of-results.js';
import { countedByArm } from '../figures/population.js';
import { withCapsShown } from '../figures/without-caps.js';
import { withSegments } from './across-segments.js';
import { Crossings } from './crossings.source.js';
import { unitsErased } from './erased-units.js';
import { Evidence } from './evidence.source.js';
import { type ExpiredNeeded, expiredNeeded, expiredRows } from './expired-rows.js';
import { knownNames } from './known-names.js';
import { type Pace, paceOf, withPowerReached } from './power-reached.js';
import { qualityOf, qualityWarnings } from './quality.js';
import { warningsOf } from './warnings.js';

export interface ResultsRequest {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  /** Null: everything known; for a plan whose one look is over, as of that look. */
  readonly asOfUs: number | null;
  readonly nowUs: number;
  /** Units of which any event has come are another count of all events, so only on request. */
  readonly hops?: 'tracked' | undefined;
  /** A property of first exposures, by whose values the figures are shown besides. */
  readonly dimension?: string | undefined;
  /** Another experiment, by whose arms the figures are shown besides. */
  readonly interaction?: string | undefined;
}

/** Values of a dimension that have a row of their own: those with most units. */
const VALUES_SHOWN = 10;

/** How far the answer goes, and what the plan says about it. */
interface Reach {
  /** Of a history, once it is complete: rows that came later don't count until it is completed anew. */
  readonly completedAtUs: number | null;
  readonly isImporting: boolean;
  readonly knownUntilUs: number;
  readonly asOfUs: number | null;
  readonly plan: PlanState;
}

@Injectable()
export class ResultsService {
  constructor(
    private readonly definitions: Definitions,
    private readonly evidence: Evidence,
    @Optional() private readonly crossings?: Crossings,
  ) {}

  /** @throws DomainError experiment-not-found, environment-not-found, not-started, importing, watermark-behind, watermark-undefined; of the experiment to interact with as well: interaction-impossible */
  async results(request: ResultsRequest): Promise<Results> {
    // First: whatever was known by then is in the definition that is read after it.
    const watermarkUs = await this.evidence.watermark();
    const definition = this.definitionOf(request, watermarkUs);
    const reach = await this.reachOf(definition, request, watermarkUs);
    const query = comparisonQuery(definition, reach.knownUntilUs, reach.completedAtUs);
    const sumsOf = (of: ComparisonQuery) => (request.asOfUs === null ? this.evidence.currentSums(of) : this.evidence.sums(of));
    const [sums, duplicates, seen, tracked, laterRows, erased, expired] = await Promise.all([
      sumsOf({ ...query, ...shownQuantiles(definition) }),
      this.evidence.duplicates(query),
      this.evidence.seenEvents(request.project, request.environment, query.loggedUntilUs),
      request.hops === 'tracked' ? this.evidence.tracked(query) : null,
      this.evidence.laterRows(query),
      this.evidence.erasedUnits(query, countedUntilUs(reach)),
      expiredNeeded(this.evidence, query),
    ]);
    const concluded = this.concludedAt(definition, query, reach);
    const shown = await concluded({ sums, duplicates, knownUntilUs: reach.knownUntilUs });
    const { figures, statistics, plan } = shown;
    const counted = { definition, query, sums, figures };
    const quality = qualityOf({ ...counted, tracked });
    const [judged, metrics] = await Promise.all([
      this.ofTheLook(query, reach, shown, concluded),
      withCapsShown(withSegments(figures.metrics, counted), { definition, query, sums, sumsOf }),
    ]);
    return {
      project: request.project,
      environment: request.environment,
      experiment: request.experiment,
      definitionVersion: definition.version,
      comparison: comparedSegments(definition.state)?.[0].comparison ?? 0,
      status: statusOf(definition, { ...reach, plan }),
      asOf: instantOrNull(reach.asOfUs),
      watermark: instantOrNull(watermarkUs),
      watermarkAgeMs: watermarkUs === null ? null : Math.max(0, Math.round((request.nowUs - watermarkUs) / 1000)),
      plan: definition.experiment.plan,
      planInForce: planInForceOf(definition),
      control: definition.experiment.control,
      ...figures,
      quality,
      metrics: withPowerReached(metrics, definition, this.pace(definition, reach, figures)),
      ...(request.dimension === undefined ? {} : { dimension: await this.dimension(definition, query, request.dimension, figures) }),
      ...(request.interaction === undefined ? {} : { interaction: await this.interaction(definition, query, request) }),
      verdict: judged.verdict,
      actions: judged.actions,
      latched: judged.latched,
      looks: judged.looks,
      sufficientStatistics: statistics,
      evidenceDigest: shown.evidenceDigest,
      conclusionDigest: judged.conclusionDigest,
      warnings: [
        ...lookWarnings(reach),
        ...importWarnings(reach, laterRows),
        ...erasureWarnings(reach, erased),
        ...expiryWarnings(expired),
        ...qualityWarnings(quality),
        ...warningsOf(definition, { ...figures, metrics }, plan, new Set(seen.map((event) => event.name))),
      ],
    };
  }

  /**
   * A metric that nobody has defined, on the units that the experiment compares.
   * @throws DomainError as `results`, and metric-unit-type
   */
  async explore(request: ResultsRequest, metric: MetricDefinition): Promise<Exploration> {
    const watermarkUs = await this.evidence.watermark();
    const definition = this.definitionOf(request, watermarkUs);
    requireUnitType(definition, metric);
    const reach = await this.reachOf(definition, request, watermarkUs);
    const explored = exploring(definition, metric);
    const query = comparisonQuery(explored, reach.knownUntilUs, reach.completedAtUs);
    const [sums, duplicates, seen, expired] = await Promise.all([
      this.evidence.sums({ ...query, ...shownQuantiles(explored) }),
      this.evidence.duplicates(query),
      this.evidence.seenEvents(request.project, request.environment, query.loggedUntilUs),
      expiredNeeded(this.evidence, query),
    ]);
    const { population, result: capped, own, tests, statistics } = exploredFigures(explored, query, sums, duplicates);
    const alone = { ...explored, metrics: explored.metrics.slice(-1) };
    const question = { definition: alone, query, sums: own, sumsOf: (of: ComparisonQuery) => this.evidence.sums(of) };
    const [result = capped] = await withCapsShown([capped], question);
    return {
      project: request.project,
      environment: request.environment,
      experiment: request.experiment,
      definitionVersion: definition.version,
      comparison: comparedSegments(definition.state)?.[0].comparison ?? 0,
      status: statusOf(definition, reach),
      asOf: instantOrNull(reach.asOfUs),
      watermark: instantOrNull(watermarkUs),
      control: definition.experiment.control,
      exploratory: true,
      correction: 'bh',
      tests,
      metric: result,
      sufficientStatistics: statistics,
      warnings: [
        ...expiryWarnings(expired),
        ...warningsOf(alone, { metrics: [result], population }, reach.plan, new Set(seen.map((event) => event.name))),
      ],
    };
  }

  private async dimension(
    definition: DefinitionInForce,
    query: ComparisonQuery,
    property: string,
    { metrics: total }: Figures,
  ): Promise<DimensionBreakdown> {
    const values = await this.evidence.strata(query, property, VALUES_SHOWN);
    const strata = { property, values: values.map(({ value }) => value) };
    const quantiles = hasQuantiles(definition);
    const sums = await this.evidence.sums({ ...query, quantiles, quantilesByStratum: quantiles, quantileLadder: false, strata });
    return breakdownOf({ definition, query, property, values, sums, total });
  }

  private async interaction(definition: DefinitionInForce, query: ComparisonQuery, request: ResultsRequest): Promise<Interaction> {
    const { interaction: experiment = '', asOfUs } = request;
    const atUs = asOfUs ?? (query.historical ? null : query.knownUntilUs);
    const other = this.definitions.inForce(request.project, request.environment, experiment, atUs);
    requireOtherUnits(definition, other);
    const knownUntilUs = Math.min(query.knownUntilUs, other.state?.closedAtUs ?? query.knownUntilUs);
    const armIn = comparisonQuery(other, knownUntilUs, query.loggedUntilUs ?? null);
    const quantiles = hasQuantiles(definition);
    const counted = { ...query, quantiles, quantilesByStratum: quantiles, quantileLadder: false, strata: { armIn } };
    const [sums, expired] = await Promise.all([this.evidence.sums(counted), expiredNeeded(this.evidence, armIn)]);
    const found = interactionOf({ definition, query, other, sums });
    return expired === null ? found : { ...found, notes: [`of ${experiment}, ${expiredRows(expired)}`, ...found.notes] };
  }

  /** In force at the look's own known time; what is younger than the watermark only where nothing else is known yet. */
  private definitionOf({ project, environment, experiment, asOfUs }: ResultsRequest, watermarkUs: number | null): DefinitionInForce {
    const newest = () => this.definitions.inForce(project, environment, experiment, asOfUs);
    if (asOfUs !== null || watermarkUs === null) return newest();
    try {
      const known = this.definitions.inForce(project, environment, experiment, watermarkUs);
      return known.state === null ? newest() : known;
    } catch (error) {
      if (error instanceof DomainError && NOT_THERE.has(error.code)) return newest();
      throw error;
    }
  }

  private async reachOf(
    definition: DefinitionInForce,
    { asOfUs, project, environment }: ResultsRequest,
    watermarkUs: number | null,
  ): Promise<Reach> {
    const historical = definition.environment.kind === 'historical';
    // While a further completion is on its way, what it completes is still being imported.
    const newestUs = historical ? await this.evidence.importCompletedAtUs(project, environment, END_OF_TIME) : null;
    const completedAtUs = newestUs !== null && watermarkUs !== null && newestUs <= watermarkUs ? newestUs : null;
    const isImporting = historical && completedAtUs === null;
    if (asOfUs !== null) requireKnown(definition, asOfUs, watermarkUs, isImporting);
    const { state } = definition;
    const plan = planOf(definition, { importing: isImporting, knownUntilUs: asOfUs ?? watermarkUs });
    const about = { completedAtUs, isImporting, plan };
    if (historical) return { ...about, asOfUs, knownUntilUs: asOfUs ?? END_OF_TIME };
    if (watermarkUs === null) {
      const message = 'the watermark is undefined: a partition of the log has no message yet; ask again in a few seconds';
      throw new DomainError('watermark-undefined', message);
    }
    // A plan whose one look is over shows that look, for ever; later rows only on request.
    const shownUs = asOfUs ?? plan.lookAtUs;
    return { ...about, asOfUs: shownUs, knownUntilUs: Math.min(shownUs ?? watermarkUs, state?.closedAtUs ?? watermarkUs) };
  }

  /** The verdict is that of the figures shown; where they go beyond the plan's last look, of that look. */
  private async ofTheLook(
    query: ComparisonQuery,
    { plan, knownUntilUs }: Reach,
    shown: Conclusion,
    concluded: Concluded,
  ): Promise<Conclusion> {
    const lookAtUs = plan.lookAtUs ?? knownUntilUs;
    if (lookAtUs >= knownUntilUs) return shown;
    return concluded({ sums: await this.evidence.sums({ ...query, knownUntilUs: lookAtUs }), knownUntilUs: lookAtUs });
  }

  /** Of the days before the moment that is shown. */
  private pace(definition: DefinitionInForce, { knownUntilUs }: Reach, { population }: Figures): Pace {
    const startedAtUs = comparedSegments(definition.state)?.[0].startedAtUs ?? 0;
    if (this.crossings === undefined || definition.environment.kind === 'historical') return [];
    const { crossings } = this;
    const now = countedByArm(population.rows);
    return paceOf((atUs) => (atUs >= knownUntilUs ? now : crossings.countedBefore(definition, atUs)), { startedAtUs, knownUntilUs });
  }

  private concludedAt(definition: DefinitionInForce, query: ComparisonQuery, { plan, knownUntilUs }: Reach): Concluded {
    const latchedBefore = this.crossings?.before(definition, knownUntilUs) ?? [];
    const looksBefore = this.crossings?.looksBefore(definition, knownUntilUs) ?? [];
    return async (at) => {
      const seenEvents = await knownNames(this.evidence, query, at.knownUntilUs);
      return conclude({ definition, query, plan, seenEvents, latchedBefore, looksBefore, ...at });
    };
  }
}

type Concluded = (at: Pick<Parameters<typeof conclude>[0], 'sums' | 'duplicates' | 'knownUntilUs'>) => Promise<Conclusion>;

const requireUnitType = ({ experiment }: DefinitionInForce, { unitType }: MetricDefinition): void => {
  if (unitType === experiment.unitType) return;
  const message = `the metric is measured per ${unitType}, ${experiment.key} compares units of type ${experiment.unitType}`;
  throw new DomainError('metric-unit-type', message, { path: '/definition/unitType' });
};

const requireOtherUnits = ({ experiment }: DefinitionInForce, { experiment: other }: DefinitionInForce): void => {
  const refuse = (message: string) => {
    throw new DomainError('interaction-impossible', message, { path: '/interaction' });
  };
  if (other.key === experiment.key) refuse(`${experiment.key} can't interact with itself: name another experiment`);
  if (other.unitType === experiment.unitType) return;
  refuse(`${other.key} is about units of type ${other.unitType}, ${experiment.key} about ${experiment.unitType}: no unit is in both`);
};

const requireKnown = (definition: DefinitionInForce, asOfUs: number, watermarkUs: number | null, isImporting: boolean): void => {
  if (isImporting) {
    const key = definition.environment.key;
    const message = `the history of ${key} is still being imported, so nothing has a final "as of"; send import.completed.v1, or leave asOf out`;
    throw new DomainError('importing', message, { environment: key });
  }
  if (watermarkUs !== null && asOfUs <= watermarkUs) return;
  const watermark = instantOrNull(watermarkUs);
  const message = `asOf ${formatInstant(asOfUs)} is beyond the watermark ${watermark ?? '(undefined)'}: not everything known by then is stored; ask again later`;
  throw new DomainError('watermark-behind', message, { asOf: formatInstant(asOfUs), watermark });
};

const statusOf = ({ environment }: DefinitionInForce, { isImporting, plan }: Reach): Results['status'] => {
  if (environment.kind === 'historical') return isImporting ? 'importing' : 'complete';
  return plan.exhausted ? 'complete' : 'running';
};

const lookWarnings = ({ plan, asOfUs, knownUntilUs }: Reach): readonly string[] => {
  if (plan.lookAtUs === null) return [];
  const look = formatInstant(plan.lookAtUs);
  const which = isWatched(plan.method) ? 'last' : 'one';
  if (knownUntilUs > plan.lookAtUs)
    return [`the figures are as of ${instantOrNull(asOfUs)}, after the plan's ${which} look: the verdict stays that of ${look}`];
  return [`the figures are as of the plan's ${which} look at ${look}: asOf shows what became known later`];
};

const importWarnings = ({ completedAtUs }: Reach, laterRows: number): readonly string[] =>
  laterRows === 0
    ? []
    : [
        `${laterRows} rows came after the history was completed at ${instantOrNull(completedAtUs)}: they don't count until another import.completed.v1 comes`,
      ];

/** A history says itself when its rows became known: what the log knew last is its completion. */
const countedUntilUs = ({ completedAtUs, knownUntilUs, isImporting }: Reach): number => completedAtUs ?? (isImporting ? 0 : knownUntilUs);

const erasureWarnings = (reach: Reach, erased: number): readonly string[] =>
  erased === 0
    ? []
    : [`${unitsErased(erased)} since ${formatInstant(countedUntilUs(reach))}: what is counted as of then is no longer what it was`];

const expiryWarnings = (expired: ExpiredNeeded | null): readonly string[] =>
  expired === null ? [] : [`${expiredRows(expired)}; the sums of its decision records stand in them`];

const instantOrNull = (atUs: number | null): string | null => (atUs === null ? null : formatInstant(atUs));
