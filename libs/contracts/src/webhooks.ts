/** Signed messages to other systems: one for each phase change, a CloudEvent whose signature follows standardwebhooks.com. */
import { z } from 'zod';
import { slug } from './metrics.js';

export const WEBHOOK_KINDS = ['rollout', 'experiment', 'feature'] as const;
export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

export const webhookInput = z.strictObject({
  key: slug,
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .max(2_000)
    .refine((text) => !/^https?:\/\/[^/?#]*@/i.test(text), 'must name no user and password: history keeps it')
    .describe('gets POST requests; redirects are not followed'),
  environment: slug.optional().describe('only what happens there; default: everywhere'),
  kinds: z.array(z.enum(WEBHOOK_KINDS)).min(1).optional().describe('only what happens to these; default: to all of them'),
});
export type WebhookInput = z.infer<typeof webhookInput>;

/** `data` of each message. */
export interface WebhookData {
  readonly project: string;
  readonly environment: string | null;
  /** `webhook` in test messages alone. */
  readonly resource: WebhookKind | 'webhook';
  readonly key: string;
  /** Of the resource, after the change. */
  readonly revision: number;
  /** Where it stood and where it stands; of a new definition also the fields that it changes. */
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
