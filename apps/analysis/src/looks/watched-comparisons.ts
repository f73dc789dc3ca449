/** Which comparisons there are to look at: what runs, what was closed since its last record, and history that is complete. */
import { Injectable } from '@nestjs/common';
import { type ComparisonPlace, comparisonKey, type InstantUs } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import type { ComparisonQuery } from '@rampart/feedback-store';
import { comparedSegments, comparisonQuery, type DefinitionInForce, Definitions, type Run } from '../definitions/definition-in-force.js';
import { Evidence } from '../results/evidence.source.js';
import { DecisionLog } from './decision-log.js';
import { type LookTarget, lookTarget } from './look-target.js';
import { PlannedMoments } from './planned-moments.js';
import { definitionHash } from './records.js';

export interface WatchedComparison {
  readonly key: string;
  readonly place: ComparisonPlace;
  readonly definition: DefinitionInForce & { readonly state: NonNullable<DefinitionInForce['state']> };
  readonly definitionHash: string;
  /** A ramp waits for it, and rolls back by it: it is looked at before the others. */
  readonly isRamping: boolean;
  readonly target: LookTarget;
  readonly query: ComparisonQuery;
}

@Injectable()
export class WatchedComparisons {
  private readonly moments: PlannedMoments;

  constructor(
    private readonly definitions: Definitions,
    private readonly evidence: Evidence,
    private readonly decisions: DecisionLog,
  ) {
    this.moments = new PlannedMoments(evidence);
  }

  async at(watermarkUs: InstantUs, signal?: AbortSignal): Promise<readonly WatchedComparison[]> {
    const watched: WatchedComparison[] = [];
    const imported = this.importsOfRound(watermarkUs);
    for (const run of this.definitions.runs()) {
      // A planned moment may take several counts to find.
      signal?.throwIfAborted();
      const comparison = await this.watchedOf(run, watermarkUs);
      if (comparison === undefined || this.isBehind(comparison)) continue;
      if (!comparison.query.historical) {
        if (!this.isOver(comparison)) watched.push(comparison);
        continue;
      }
      const completedAtUs = await imported(run);
      if (completedAtUs === null || !this.isNew(comparison, completedAtUs)) continue;
      watched.push({ ...comparison, query: comparisonQuery(comparison.definition, comparison.target.knownUntilUs, completedAtUs) });
    }
    return watched;
  }

  private async watchedOf(run: Run, watermarkUs: InstantUs): Promise<WatchedComparison | undefined> {
    const definition = this.inForce(run, watermarkUs);
    const segments = comparedSegments(definition?.state ?? null);
    if (definition === undefined || definition.state === null || segments === undefined) return undefined;
    const place: ComparisonPlace = { ...run, comparison: segments[0].comparison, stage: definition.state.ramp?.stage ?? null };
    const newest = this.decisions.newest(place);
    const chain = { knownUntilUs: newest?.knownUntilUs ?? 0, looks: newest?.looks ?? [] };
    const plannedUs = await this.moments.before(watermarkUs, definition, place, chain);
    const target = lookTarget(definition, plannedUs ?? watermarkUs);
    const known = { ...definition, state: definition.state };
    return {
      key: comparisonKey(place),
      place,
      definition: known,
      definitionHash: definitionHash(known),
      isRamping: known.state.ramp !== undefined && known.state.closedAtUs === null,
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
  private isOver({ place, target, definitionHash: hash }: WatchedComparison): boolean {
    const newest = this.decisions.newest(place);
    return newest !== undefined && target.isLast && newest.knownUntilUs >= target.knownUntilUs && newest.definitionHash === hash;
  }

  /** A history is looked at when it is complete, and again when it was added to and completed anew, or is defined otherwise. */
  private isNew({ place, definitionHash: hash }: WatchedComparison, completedAtUs: InstantUs): boolean {
    const newest = this.decisions.newest(place);
    return newest === undefined || newest.definitionHash !== hash || newest.knownUntilUs < completedAtUs;
  }

  /** While a store is filled again, the watermark passes moments that were looked at long ago. */
  private isBehind({ place, target }: WatchedComparison): boolean {
    return !target.isLast && (this.decisions.newest(place)?.knownUntilUs ?? 0) > target.knownUntilUs;
  }

  /** When each environment's import was completed last, as far as the watermark goes, asked once for all its experiments; null without a completion. */
  private importsOfRound(watermarkUs: InstantUs): (run: Run) => Promise<InstantUs | null> {
    const asked = new Map<string, Promise<InstantUs | null>>();
    return ({ project, environment }) => {
      const key = `${project}/${environment}`;
      const completed = asked.get(key) ?? this.evidence.importCompletedAtUs(project, environment, watermarkUs);
      asked.set(key, completed);
      return completed;
    };
  }
}
