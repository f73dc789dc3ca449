/** Crossings of earlier looks, from the appended records. */
import { Injectable } from '@nestjs/common';
import type { Crossing, TakenLook } from '@rampart/contracts';
import { comparedSegments, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { Crossings } from '../results/crossings.source.js';
import { DecisionLog } from './decision-log.js';
import type { RecordHead } from './records.js';

@Injectable()
export class RecordedCrossings extends Crossings {
  constructor(private readonly decisions: DecisionLog) {
    super();
  }

  before(definition: DefinitionInForce, knownUntilUs: number): readonly Crossing[] {
    return this.newest(definition, knownUntilUs)?.latched ?? [];
  }

  looksBefore(definition: DefinitionInForce, knownUntilUs: number): readonly TakenLook[] {
    return this.newest(definition, knownUntilUs)?.looks ?? [];
  }

  private newest({ project, environment, experiment, state }: DefinitionInForce, knownUntilUs: number): RecordHead | undefined {
    const comparison = comparedSegments(state)?.[0].comparison;
    if (comparison === undefined) return undefined;
    const place = { project, environment: environment.key, experiment: experiment.key, comparison, stage: null };
    return this.decisions.newestAsOf(place, knownUntilUs);
  }
}
