/** Erasures for tests. */
import type { ErasureRequest } from '@rampart/contracts';

/** Of the unit of zeros, whose event lies there. */
export const requestOf = (partition: number, offset: number): ErasureRequest => ({
  ...{ kind: 'request', id: 'e', project: 'shop', environment: 'live', unitType: 'user', unit: '0'.repeat(32), sealed: 'sealed' },
  ...{ partition, offset, requestedAtUs: 1, by: 'k' },
});
