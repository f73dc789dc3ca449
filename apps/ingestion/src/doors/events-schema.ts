/** The body of the event routes as OpenAPI has it: from the contract, which the routes check by hand. */
import { cloudEvent } from '@rampart/contracts';
import { z } from 'zod';

export const EVENTS_TYPES = ['application/cloudevents-batch+json', 'application/cloudevents+json', 'application/json'] as const;

const { $schema: _, ...event } = z.toJSONSchema(cloudEvent, { target: 'openapi-3.0', io: 'input' }) as Record<string, object>;

export const eventsBody = { oneOf: [event, { type: 'array', items: event, maxItems: 10_000 }] };
