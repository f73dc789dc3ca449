import { expect, it } from '@jest/globals';
import { BINARY_TYPES, metricDefinition } from '@rampart/contracts';
import { isShareOfUnits } from './share-metrics.js';

it('says of every type of metric what the contracts say', () => {
  for (const type of metricDefinition.shape.type.options) expect([type, isShareOfUnits(type)]).toEqual([type, BINARY_TYPES.has(type)]);
});
