/** Which comparisons there are to look at: what runs, what was closed since its last record, and history that is complete. */
import { Injectable } from '@nestjs/common';
import { type ComparisonPlace, comparisonKey, type InstantUs } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import type { ComparisonQuery } from '@rampart/feedback-store';
import { comparedSegments, comparisonQuery, type DefinitionInForce, Definitions, type Run } from '../definitions/definition-in-force.js';
import { Evidence } from '../results/evidence.source.js';
import { DecisionLog } from './decision-log.js';
import { type LookTarget, lookTarget } from './look-target.js';
import { definitionHash } from './records.js';

export interface WatchedComparison {
  readonly key: string;
  readonly place: ComparisonPlace;
  readonly definition: DefinitionInForce & { readonly state: NonNullable<DefinitionInForce['state']> };
  readonly definitionHash: string;
  readonly target: LookTarget;
  readonly query: ComparisonQuery;
}

@Injectable()
export class WatchedComparisons {
  constructor(
    private readonly definitions: Definitions,
    private readonly evidence: Evidence,
    private readonly decisions: DecisionLog,
  ) {}

  async at(watermarkUs: InstantUs): Promise<readonly WatchedComparison[]> {
    const watched: WatchedComparison[] = [];
    for (const run of this.definitions.runs()) {
      const comparison = this.watchedOf(run, watermarkUs);
      if (comparison === undefined || this.isOver(comparison) || this.isBehind(comparison)) continue;
      if (comparison.query.historical && !(await this.isImported(run, watermarkUs))) continue;
      watched.push(comparison);
    }
    return watched;
  }

  private watchedOf(run: Run, watermarkUs: InstantUs): WatchedComparison | undefined {
    const definition = this.inForce(run, watermarkUs);
    const segments = comparedSegments(definition?.state ?? null);
    if (definition === undefined || definition.state === null || segments === undefined) return undefined;
    const place: ComparisonPlace = { ...run, comparison: segments[0].comparison, stage: null };
    const target = lookTarget(definition, watermarkUs);
    const known = { ...definition, state: definition.state };
    return {
      key: comparisonKey(place),
      place,
      definition: known,
      definitionHash: definitionHash(known),
      target,
      query: comparisonQuery(definition, target.knownUntilUs),
    };
  }

  /** What is published may be younger than the watermark: nothing is known of it yet. */
  private inForce({ project, environment, experiment }: Run, watermarkUs: InstantUs): DefinitionInForce | undefined {
    try {
      return this.definitions.inForce(project, environment, experiment, watermarkUs);
    } catch (error) {
      if (error instanceof DomainError) return undefined;
      throw error;
    }
  }

  /** The last look was taken and recorded: it stays so for ever. */
  private isOver({ place, target, definitionHash: hash, query }: WatchedComparison): boolean {
    const newest = this.decisions.newest(place);
    if (newest === undefined || !target.isLast) return false;
    return query.historical ? newest.definitionHash === hash : newest.knownUntilUs >= target.knownUntilUs;
  }

  /** While a store is filled again, the watermark passes moments that were looked at long ago. */
  private isBehind({ place, target }: WatchedComparison): boolean {
    return (this.decisions.newest(place)?.knownUntilUs ?? 0) > target.knownUntilUs;
  }

  private async isImported({ project, environment }: Run, watermarkUs: InstantUs): Promise<boolean> {
    const completedAtUs = await this.evidence.importCompletedAtUs(project, environment);
    return completedAtUs !== null && completedAtUs <= watermarkUs;
  }
}
