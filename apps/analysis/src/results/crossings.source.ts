/** What the results need of earlier looks: the port to recorded crossings, planned looks and counts. */
import type { Crossing, TakenLook } from '@rampart/contracts';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';

export abstract class Crossings {
  /** All that were recorded of this comparison by looks that knew nothing later than `knownUntilUs`. */
  abstract before(definition: DefinitionInForce, knownUntilUs: number): readonly Crossing[];
  /** Planned looks that were recorded by then. */
  abstract looksBefore(definition: DefinitionInForce, knownUntilUs: number): readonly TakenLook[];
  /** Units in the analysis set, by arm, as far as they were recorded by then. */
  abstract countedBefore(definition: DefinitionInForce, knownUntilUs: number): Readonly<Record<string, number>>;
}
