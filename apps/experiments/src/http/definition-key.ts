/** A definition that is put at an address must be the one that the address names. */
import { InvalidRequest } from '@rampart/service-kit';

export const requireSameKey = (address: string, key: string): void => {
  if (address === key) return;
  const message = `the body defines "${key}", the address names "${address}": a key never changes`;
  throw new InvalidRequest([{ code: 'key-differs', path: '/key', message }]);
};
