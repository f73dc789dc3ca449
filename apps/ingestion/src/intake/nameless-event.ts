/**
 * An append-only log can't be made to forget, so it must not learn: where an event writes the id of its own unit into another text, the pseudonym takes its
 * place. The same event gives the same text each time, so that retries and filters still meet.
 */
import { DISTINCT_UNIT_ID, type PropertyValue } from '@rampart/contracts';
import type { Pseudonyms, UnitEvent } from '@rampart/feedback-rows';

/** @returns the event itself where no text of it has the id of a unit that it names; ids below 8 characters are not looked for: they are a part of nearly everything */
export const namelessEvent = (event: UnitEvent, project: string, pseudonyms: Pseudonyms): UnitEvent => {
  const { unit, also } = event.data;
  const named = namelessOf(event, unit, project, pseudonyms);
  return also === undefined ? named : also.reduce<UnitEvent>((one, other) => namelessOf(one, other, project, pseudonyms), named);
};

const namelessOf = (event: UnitEvent, unit: UnitEvent['data']['unit'], project: string, pseudonyms: Pseudonyms): UnitEvent => {
  const { id } = unit;
  if (id.length < DISTINCT_UNIT_ID || !isNamed(event, id)) return event;
  const pseudonym = pseudonyms.of(project, unit.type, id);
  const without = (text: string) => text.replaceAll(id, pseudonym);
  const { properties } = event.data;
  const nameless = { ...event, id: without(event.id), source: without(event.source) };
  if (properties === undefined) return nameless;
  const entries = Object.entries(properties).map(
    ([name, value]) => [without(name), typeof value === 'string' ? without(value) : value] as const,
  );
  return { ...nameless, data: { ...event.data, properties: Object.fromEntries(entries) as Record<string, PropertyValue> } } as UnitEvent;
};

const isNamed = (event: UnitEvent, id: string): boolean => {
  if (event.id.includes(id) || event.source.includes(id)) return true;
  const { properties } = event.data;
  for (const name in properties) {
    const value = properties[name];
    if (name.includes(id) || (typeof value === 'string' && value.includes(id))) return true;
  }
  return false;
};
