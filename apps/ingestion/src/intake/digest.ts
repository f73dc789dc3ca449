/** 64 bits of what an event says, so that an id used again for something else is noticed. When it was sent is no part of it: retries are equal. */
import { hash } from 'node:crypto';
import type { CloudEvent, PropertyValue } from '@rampart/contracts';

/** @returns 16 hex digits, equal for events that say the same, whatever the order of their properties */
export const digestOf = (event: CloudEvent): string => hash('sha256', contentOf(event), 'hex').slice(0, 16);

const contentOf = (event: CloudEvent): string => {
  if (event.type === 'import.completed.v1') return JSON.stringify([event.type, event.time ?? '', event.data.until ?? '']);
  const { data } = event;
  const said =
    'name' in data ? [data.name, data.value ?? null] : [data.experiment, data.variant, data.segment ?? null, data.reason ?? null];
  const units = data.also === undefined ? [data.unit] : [data.unit, ...data.also];
  return JSON.stringify([event.type, event.time ?? '', units.map(({ type, id }) => [type, id]), said, sorted(data.properties)]);
};

const sorted = (properties: Readonly<Record<string, PropertyValue>> | undefined): readonly unknown[] => {
  if (properties === undefined) return [];
  const names = Object.keys(properties).sort();
  return names.map((name) => [name, properties[name]]);
};
