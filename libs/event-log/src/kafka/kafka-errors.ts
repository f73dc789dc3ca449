/** What kafkajs's errors mean for the log: this passes, or this never will. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LogError, LogUnavailableError } from '../log-errors.js';

/** The protocol's name of an error, where it has one. */
export const typeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'type' in error && typeof error.type === 'string' ? error.type : undefined;

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

const passing = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION', // also of a leader that has not heard of it yet
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_CONTROLLER',
]);

/** What kafkajs throws where another request of the same connection closes it meanwhile, which takes away its brokers and what it knew of topics. */
const isBetweenConnections = (error: unknown): boolean =>
  error instanceof TypeError && /^Cannot read properties of (?:null|undefined)/.test(error.message);

/** True if the same request may get through later, perhaps from another broker. */
export const isStale = (error: unknown): boolean => {
  if (error instanceof LogError) return false;
  const type = typeOf(error);
  if (type !== undefined) return passing.has(type);
  if (isBetweenConnections(error)) return true;
  return !['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'].includes(nameOf(error));
};

/** The pause before the next attempt: 50 ms, doubling to a second. */
export const delayed = async (attempt: number, signal?: AbortSignal): Promise<void> => {
  const pauseMs = Math.min(1_000, 50 * 2 ** Math.min(attempt - 1, 10));
  await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
};

/** For those who called the log. */
export const explained = (error: unknown): Error => {
  if (error instanceof LogError || error instanceof LogUnavailableError || error instanceof RangeError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LogUnavailableError(`The log's Kafka can't answer (${reason}). Try again in a second.`, 1_000, { cause: error });
};
