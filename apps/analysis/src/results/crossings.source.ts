/** What the results need of earlier looks: the port to recorded crossings. */
import type { Crossing } from '@rampart/contracts';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';

export abstract class Crossings {
  /** All that were recorded of this comparison by looks that knew nothing later than `knownUntilUs`. */
  abstract before(definition: DefinitionInForce, knownUntilUs: number): readonly Crossing[];
}
