/** Crossings of earlier looks, from the appended records. */
import { Injectable } from '@nestjs/common';
import type { ComparisonPlace, Crossing, TakenLook } from '@rampart/contracts';
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

  countedBefore(definition: DefinitionInForce, knownUntilUs: number): Readonly<Record<string, number>> {
    const place = placeOf(definition);
    return place === undefined ? {} : this.decisions.countedAsOf(place, knownUntilUs);
  }

  private newest(definition: DefinitionInForce, knownUntilUs: number): RecordHead | undefined {
    const place = placeOf(definition);
    return place === undefined ? undefined : this.decisions.newestAsOf(place, knownUntilUs);
  }
}

const placeOf = ({ project, environment, experiment, state }: DefinitionInForce): ComparisonPlace | undefined => {
  const comparison = comparedSegments(state)?.[0].comparison;
  return comparison === undefined
    ? undefined
    : { project, environment: environment.key, experiment: experiment.key, comparison, stage: null };
};
