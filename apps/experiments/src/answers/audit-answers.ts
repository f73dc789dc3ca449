/** Documents of the audit log. */
import { z } from 'zod';
import { documented } from './answering.js';
import { instant } from './definition-answers.js';

const line = z.strictObject({
  position: z.string().describe('in the order in which it was kept'),
  at: instant.describe('when it was asked for'),
  service: z.string(),
  outcome: z.enum(['done', 'denied', 'refused', 'failed']).describe('denied: by key, role or reach; refused: by a rule; failed: by us'),
  actor: z.string().nullable().describe('id of the key, `admin`, or the name of a process; null: no key that is known'),
  role: z.string().nullable(),
  project: z.string().nullable(),
  environment: z.string().nullable(),
  action: z.string().describe('type of the event that was stored, or method and template of the route'),
  target: z.record(z.string(), z.string()),
  status: z.int().describe('of HTTP'),
  code: z.string().nullable().describe('of the problem'),
  reason: z.string().nullable().describe('as it was given with the command'),
  requestId: z.string().nullable(),
  address: z.string().nullable().describe('of the client, as the nearest proxy saw it; of what was not stored as an event'),
  count: z.int().min(1).describe('the same denial within a moment is one line'),
});

export const auditPage = documented(z.strictObject({ items: z.array(line), next: z.string().nullable().describe('for `before`') }), {
  items: [
    {
      ...{ position: '812', at: '2026-01-31T12:00:00.000Z', service: 'experiments', outcome: 'denied', actor: '7tq2m0v8c4xk' },
      ...{ role: 'analyst', project: 'shop', environment: null, action: 'POST /v1/features/:key/kill', target: { key: 'colour' } },
      ...{ status: 403, code: 'wrong-role', reason: null, requestId: '4ea2', address: '10.0.3.7', count: 1 },
    },
  ],
  next: null,
});
