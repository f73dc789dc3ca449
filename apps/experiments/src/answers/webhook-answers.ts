/** Documents of webhooks and of what was sent to them. */
import { type WebhookDelivery, webhookInput } from '@rampart/contracts';
import { z } from 'zod';
import { documented } from './answering.js';
import { instant, revision } from './definition-answers.js';

const fields = z.strictObject({ ...webhookInput.shape, isActive: z.boolean().describe('false once it was removed'), revision });
const aWebhook = { key: 'deploys', url: 'https://hooks.example/rampart', environment: 'production', isActive: true, revision: 1 };

/** Never with its secret. */
export const webhook = documented(fields, aWebhook);
export const newWebhook = documented(fields.extend({ secret: z.string().describe('signs its messages; shown here and nowhere else') }), {
  ...aWebhook,
  secret: 'whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==',
});

const deliverySchema = z.strictObject({
  id: z.string().describe('the header webhook-id: equal in every try'),
  type: z.string(),
  status: z.enum(['waiting', 'delivered', 'given-up']),
  attempts: z.int().min(0),
  lastAnswer: z.string().nullable(),
  nextTryAt: instant.nullable(),
  happenedAt: instant,
});
deliverySchema satisfies z.ZodType<WebhookDelivery>;

export const delivery = documented(deliverySchema, {
  ...{ id: 'rollout/shop/greener@3', type: 'feature.rampSchedule.actions.step.advanced', status: 'waiting' as const, attempts: 2 },
  ...{ lastAnswer: '503 try again', nextTryAt: '2026-01-31T12:00:04.000Z', happenedAt: '2026-01-31T12:00:00.000Z' },
});

export const testMessage = documented(z.strictObject({ id: z.string().describe('of the delivery') }), {
  id: 'test/webhook/shop/deploys@1769860800000000',
});
