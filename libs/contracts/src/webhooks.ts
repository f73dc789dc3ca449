/** Signed messages to other systems: one for each phase change, a CloudEvent whose signature follows standardwebhooks.com. */
import { z } from 'zod';
import { slug } from './metrics.js';

export const webhookInput = z.strictObject({
  key: slug,
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .max(2_000)
    .describe('gets POST requests; redirects are not followed'),
  environment: slug.optional().describe('only what happens there; default: everywhere'),
});
export type WebhookInput = z.infer<typeof webhookInput>;

/** `data` of each message. */
export interface WebhookData {
  readonly project: string;
  readonly environment: string | null;
  readonly resource: 'rollout' | 'experiment' | 'feature';
  readonly key: string;
  /** Of the resource, after the change. */
  readonly revision: number;
  /** What changed, before and after. */
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  readonly actor: string;
  readonly reason: string | null;
  /** With both numbers, where evidence was acted on. */
  readonly sentence: string | null;
  /** Id of the decision record that was acted on. */
  readonly record: string | null;
}

/** One line of `GET /v1/webhooks/{key}/deliveries`, newest first. */
export interface WebhookDelivery {
  /** The header `webhook-id`: equal in every try, so that a receiver can leave out what it had. */
  readonly id: string;
  readonly type: string;
  readonly status: 'waiting' | 'delivered' | 'given-up';
  readonly attempts: number;
  readonly lastAnswer: string | null;
  readonly nextTryAt: string | null;
  readonly happenedAt: string;
}
