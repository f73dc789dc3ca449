/** Documents of what people define once: projects, environments, keys, metrics, features; and the history of all. */
import { featureInput, metricDefinition, slug } from '@rampart/contracts';
import { z } from 'zod';
import { documented } from './answering.js';

export const instant = z.iso.datetime().describe('ISO 8601 in UTC, to the microsecond');
export const revision = z.int().min(1).describe('counts the events of the resource: what If-Match names');
const AT = '2026-01-31T12:00:00.000Z';

export const project = documented(
  z.strictObject({ key: slug, name: z.string(), revision, createdAt: instant, removedAt: instant.optional() }),
  {
    ...{ key: 'shop', name: 'The shop', revision: 1, createdAt: AT },
  },
);

export const environment = documented(
  z.strictObject({ key: slug, project: slug, kind: z.enum(['live', 'historical']), revision, createdAt: instant }),
  { key: 'production', project: 'shop', kind: 'live', revision: 1, createdAt: AT },
);

const keyFields = z.strictObject({
  id: z.string(),
  name: z.string(),
  role: z.enum(['admin', 'manager', 'analyst', 'emit', 'import', 'client']),
  project: slug.nullable(),
  environment: slug.nullable(),
  revoked: z.boolean(),
  revision,
  createdAt: instant,
  rotatedAt: instant.nullable(),
  previousUntil: instant.nullable().describe('until when the secret before the last rotation works, too'),
  expiresAt: instant.nullable(),
  revokedAt: instant.nullable(),
  quota: z.strictObject({ eventsPerSecond: z.int(), burst: z.int() }).nullable().describe('of a key that sends; null: that of the service'),
});
const ID = '7tq2m0v8c4xk';
const aKey = {
  ...({ id: ID, name: 'checkout service', role: 'emit', project: 'shop', environment: 'production' } as const),
  ...{ revoked: false, revision: 1, createdAt: AT, rotatedAt: null, revokedAt: null },
  ...{ previousUntil: null, expiresAt: null, quota: null },
};
/** Never with the key itself. */
export const apiKey = documented(keyFields, aKey);
export const listedKey = documented(
  keyFields.extend({ lastUsedAt: instant.nullable().describe('by any service, exact to half a minute') }),
  { ...aKey, lastUsedAt: AT },
);
export const newKey = documented(keyFields.extend({ key: z.string().describe('shown here and nowhere else') }), {
  ...aKey,
  key: `rk_${ID}_the-secret-part`,
});

const versioned = { key: slug, version: z.int().min(1), revision, definedAt: instant };

export const metric = documented(z.strictObject({ ...versioned, definition: metricDefinition }), {
  ...{ key: 'converted', version: 1, revision: 1, definedAt: AT },
  definition: metricDefinition.parse({
    ...{ key: 'converted', name: 'Converted', type: 'proportion', unitType: 'user', numerator: { event: 'purchase' } },
    windowUs: 604_800_000_000,
  }),
});

export const feature = documented(
  z.strictObject({
    ...versioned,
    definition: featureInput,
    environments: z.record(slug, z.strictObject({ isKilled: z.boolean() })).describe('the kill switch, where it was ever used'),
  }),
  {
    ...{ key: 'colour', version: 1, revision: 2, definedAt: AT },
    definition: {
      ...({ key: 'colour', name: 'Colour', valueType: 'string', defaultVariant: 'blue' } as const),
      variants: [
        { key: 'blue', value: 'blue' },
        { key: 'green', value: 'green' },
      ],
    },
    environments: { production: { isKilled: true } },
  },
);

export const historyEntry = documented(
  z.strictObject({
    revision,
    type: z.string(),
    at: instant,
    actor: z.string().describe('id of the key, or the name of a process'),
    reason: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).describe('what the event says'),
  }),
  {
    ...{ revision: 2, type: 'FeatureKilled', at: AT, actor: ID, reason: 'complaints from Austria', requestId: null },
    details: { environment: 'production', atUs: 1_769_860_800_000_000 },
  },
);

export const removal = documented(
  z.strictObject({
    project: slug,
    isRemoved: z.boolean().describe('false: a dry run'),
    rollouts: z.array(z.string()).describe('keys of those that are rolled back'),
    experiments: z.array(z.string()).describe('those that are stopped, with their environment'),
    keys: z.array(z.string()).describe('ids of those that are revoked'),
  }),
  { project: 'shop', isRemoved: true, rollouts: ['greener'], experiments: ['button (production)'], keys: [ID] },
);

export const rebuilt = documented(
  z.strictObject({ message: z.string(), rebuilt: z.array(z.strictObject({ name: z.string(), events: z.int().min(0) })) }),
  { message: 'Rebuilt catalogue from 412 events.', rebuilt: [{ name: 'catalogue', events: 412 }] },
);
