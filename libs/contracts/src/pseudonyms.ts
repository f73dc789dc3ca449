/** Unit ids are pseudonyms in log and store: raw ids stay at the doors. A door of its own, since browsers cannot load it. */
import { createHmac } from 'node:crypto';

/** @returns the project's pseudonym secret: derived, so that no secret has to travel in the log */
export const projectSecret = (platformSecret: string, projectId: string): Buffer =>
  createHmac('sha256', platformSecret).update(`rampart/pseudonym/${projectId}`).digest();

/** @returns 32 lowercase hex digits: the first 128 bits of HMAC-SHA256(secret, type NUL id) */
export const pseudonymOf = (secret: Buffer, unitType: string, unitId: string): string =>
  createHmac('sha256', secret).update(`${unitType}\0${unitId}`).digest('hex').slice(0, 32);

/** All rows of a unit share a partition, whatever their name. */
export const partitionOf = (pseudonym: string, partitions: number): number => Number.parseInt(pseudonym.slice(0, 8), 16) % partitions;
