/** 64 bits of what an event says, so that an id used again for something else is noticed. When it was sent is no part of it: retries are equal. */
import { hash } from 'node:crypto';
import type { CloudEvent, PropertyValue } from '@rampart/contracts';

/** @returns 16 hex digits, equal for events that say the same, whatever the order of their properties. Stored: a change makes old ids look reused. */
export const digestOf = (event: CloudEvent): string => hash('sha256', contentOf(event), 'hex').slice(0, 16);

const contentOf = (event: CloudEvent): string => {
  const head = text(event.type) + text(event.time);
  if (event.type === 'import.completed.v1') return head + text(event.data.until);
  const { data } = event;
  const said =
    'name' in data ? text(data.name) + data.value : `${text(data.experiment)}${text(data.variant)}${data.segment},${data.reason}`;
  let units = text(data.unit.type) + text(data.unit.id);
  for (const { type, id } of data.also ?? []) units += text(type) + text(id);
  return `${head}${units};${said};${data.properties === undefined ? '' : sorted(data.properties)}`;
};

/** With its length before it, no text can look like the end of another. */
const text = (value: string | undefined): string => (value === undefined ? '-' : `${value.length}:${value}`);

const sorted = (properties: Readonly<Record<string, PropertyValue>>): string => {
  let all = '';
  for (const name of Object.keys(properties).sort()) {
    const value = properties[name];
    all += text(name) + (typeof value === 'string' ? text(value) : `=${value};`);
  }
  return all;
};
