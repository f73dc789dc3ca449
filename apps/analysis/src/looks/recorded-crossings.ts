/** Crossings of earlier looks, from the appended records. */
import { Injectable } from '@nestjs/common';
import type { Crossing } from '@rampart/contracts';
import { comparedSegments, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { Crossings } from '../results/crossings.source.js';
import { DecisionLog } from './decision-log.js';

@Injectable()
export class RecordedCrossings extends Crossings {
  constructor(private readonly decisions: DecisionLog) {
    super();
  }

  before({ project, environment, experiment, state }: DefinitionInForce, knownUntilUs: number): readonly Crossing[] {
    const comparison = comparedSegments(state)?.[0].comparison;
    if (comparison === undefined) return [];
    const place = { project, environment: environment.key, experiment: experiment.key, comparison, stage: null };
    return this.decisions.newestAsOf(place, knownUntilUs)?.latched ?? [];
  }
}
