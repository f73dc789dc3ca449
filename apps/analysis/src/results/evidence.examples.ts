/** An environment for specs: sums by known time instead of rows, and what the store would say about itself. */
import type { ComparisonQuery, ComparisonSums, DuplicateCount, MetricPreview, StratumCount, TrackedCount } from '@rampart/feedback-store';
import { type DefinitionInForce, Definitions } from '../definitions/definition-in-force.js';
import { noDuplicates } from '../figures/figures.examples.js';
import { Evidence, type KnownQuery, type SeenEvent } from './evidence.source.js';

export class OneDefinition extends Definitions {
  constructor(private readonly definition: DefinitionInForce) {
    super();
  }
  inForce(..._asked: Partial<Parameters<Definitions['inForce']>>): DefinitionInForce {
    return this.definition;
  }
  runs() {
    const { project, environment, experiment } = this.definition;
    return [{ project, environment: environment.key, experiment: experiment.key }];
  }
  environment(): DefinitionInForce['environment'] {
    return this.definition.environment;
  }
}

export interface StoredEvidence {
  readonly watermarkUs: number | null;
  readonly completedAtUs?: number | null;
  readonly laterRows?: number;
  readonly erasedUnits?: number;
  readonly expiredUntilUs?: number;
  readonly sumsAt: (knownUntilUs: number, loggedUntilUs?: number) => ComparisonSums;
  readonly seen?: readonly SeenEvent[];
  readonly tracked?: readonly TrackedCount[];
}

export class EvidenceOf extends Evidence {
  constructor(private readonly stored: StoredEvidence) {
    super();
  }
  async watermark(): Promise<number | null> {
    return this.stored.watermarkUs;
  }
  async sums({ knownUntilUs, loggedUntilUs }: ComparisonQuery): Promise<ComparisonSums> {
    return this.stored.sumsAt(knownUntilUs, loggedUntilUs);
  }
  currentSums(query: ComparisonQuery): Promise<ComparisonSums> {
    return this.sums(query);
  }
  async expiredUntil(..._asked: Parameters<Evidence['expiredUntil']>): Promise<number | null> {
    return this.stored.expiredUntilUs ?? null;
  }
  async strata(..._asked: Parameters<Evidence['strata']>): Promise<readonly StratumCount[]> {
    return [];
  }
  async tracked(..._asked: Parameters<Evidence['tracked']>): Promise<readonly TrackedCount[]> {
    return this.stored.tracked ?? [];
  }
  async duplicates(): Promise<DuplicateCount> {
    return noDuplicates;
  }
  async importCompletedAtUs(_project: string, _environment: string, byUs: number): Promise<number | null> {
    const { completedAtUs = null } = this.stored;
    return completedAtUs !== null && completedAtUs <= byUs ? completedAtUs : null;
  }
  async laterRows(): Promise<number> {
    return this.stored.laterRows ?? 0;
  }
  async erasedUnits(..._asked: Parameters<Evidence['erasedUnits']>): Promise<number> {
    return this.stored.erasedUnits ?? 0;
  }
  async seenEvents(): Promise<readonly SeenEvent[]> {
    return this.stored.seen ?? [];
  }
  /** Known when they happened. */
  async knownEvents({ afterUs }: KnownQuery): Promise<readonly string[]> {
    return (this.stored.seen ?? []).filter(({ lastAtUs }) => lastAtUs > afterUs).map(({ name }) => name);
  }
  async preview(): Promise<MetricPreview> {
    return { events: 0, matching: 0, unconverted: 0, units: 0, sum: null, firstAtUs: null, lastAtUs: null };
  }
}
