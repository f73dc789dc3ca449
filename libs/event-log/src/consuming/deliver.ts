/** Gets one batch across: retries what may pass, isolates what never will. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogBatch, PoisonMessage, RetryPolicy } from '../event-log.js';

export interface Delivery {
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
  /** @param isRepeat  something of it was tried before */
  onBatch(batch: LogBatch, isRepeat: boolean): Promise<void>;
  /** Without it every error is retried for ever. */
  onPoison?(poison: PoisonMessage): Promise<void>;
  /** Told about every failed attempt; `undefined` when it passed. */
  onTrouble(trouble: { readonly attempts: number; readonly error: string } | undefined): void;
}

/** The batch is given up, by the consumer or by whoever delivers it: it was not delivered and its offset must not be committed. */
export class DeliveryAborted extends Error {
  override readonly name = 'DeliveryAborted';
}

export const defaultRetry: RetryPolicy = { firstMs: 100, maxMs: 2_000 };

export const pauseMs = ({ firstMs, maxMs }: RetryPolicy, attempts: number): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(attempts - 1, 30));

/** Only what says so itself is final: a plain error may be an outage in disguise, and must not send good messages to the dead letters. */
export const isFinal = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'retriable' in error && error.retriable === false;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Resolves when every message was either delivered or handed to `onPoison`.
 * @param isRepeat  the batch was given before
 * @returns how many were poison
 * @throws DeliveryAborted when the signal ends the attempts
 */
export const deliver = async (batch: LogBatch, delivery: Delivery, isRepeat = false): Promise<number> => {
  const { onPoison } = delivery;
  const final = await attempt(delivery, (attempts) => delivery.onBatch(batch, isRepeat || attempts > 1), onPoison !== undefined);
  if (final === undefined || onPoison === undefined) return 0;
  const [message] = batch.messages;
  if (message !== undefined && batch.messages.length === 1) {
    const { topic, partition, generation } = batch;
    await attempt(delivery, () => onPoison.call(delivery, { topic, partition, generation, message, error: final.error }), false);
    return 1;
  }
  const middle = batch.messages.length >> 1;
  const earlier = await deliver({ ...batch, messages: batch.messages.slice(0, middle) }, delivery, true);
  const later = await deliver({ ...batch, messages: batch.messages.slice(middle) }, delivery, true);
  return earlier + later;
};

/** Tries until it passes; returns the error only if it is final and those are wanted back. */
const attempt = async (
  delivery: Delivery,
  act: (attempts: number) => Promise<void>,
  givesFinalBack: boolean,
): Promise<{ error: unknown } | undefined> => {
  for (let attempts = 1; ; attempts += 1) {
    if (delivery.signal.aborted) throw new DeliveryAborted();
    try {
      await act(attempts);
      delivery.onTrouble(undefined);
      return undefined;
    } catch (error) {
      if (error instanceof DeliveryAborted) throw error;
      if (givesFinalBack && isFinal(error)) return { error };
      delivery.onTrouble({ attempts, error: messageOf(error) });
    }
    await sleep(pauseMs(delivery.retry, attempts), undefined, { signal: delivery.signal }).catch(() => undefined);
  }
};
