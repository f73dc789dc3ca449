/** Which rows a selector takes and what of them, in TypeScript; `clickhouse-selectors.ts` says the same in SQL. */
import {
  type EventSelector,
  type FeedbackRow,
  type Filter,
  millionthsOfDecimal,
  millionthsOfNumber,
  type PropertyValue,
} from '@rampart/contracts';

export const matchesAll = (filters: readonly Filter[], properties: FeedbackRow['properties']): boolean =>
  filters.every((filter) => matches(filter, ownProperty(properties, filter.property)));

const matches = ({ operator, value }: Filter, property: PropertyValue | undefined): boolean => {
  switch (operator) {
    case 'exists':
      return (property !== undefined) === (value !== false);
    case 'eq':
      return isAmong(property, Array.isArray(value) ? [] : [value]);
    case 'ne':
      return !isAmong(property, Array.isArray(value) ? [] : [value]);
    case 'in':
      return isAmong(property, Array.isArray(value) ? value : [value]);
    case 'nin':
      return !isAmong(property, Array.isArray(value) ? value : [value]);
    default: {
      const order = orderOf(property, value);
      if (order === undefined) return false;
      return operator === 'gt' ? order > 0 : operator === 'gte' ? order >= 0 : operator === 'lt' ? order < 0 : order <= 0;
    }
  }
};

/** Nothing is converted: the number 1 equals neither '1' nor true. */
const isAmong = (property: PropertyValue | undefined, values: readonly unknown[]): boolean =>
  property !== undefined && values.some((value) => value === property);

/** Numbers by size, strings by their UTF-8 bytes, nothing else. */
const orderOf = (property: PropertyValue | undefined, value: Filter['value']): number | undefined => {
  if (typeof property === 'number' && typeof value === 'number') return property - value;
  if (typeof property === 'string' && typeof value === 'string') return Buffer.compare(Buffer.from(property), Buffer.from(value));
  return undefined;
};

const ownProperty = (properties: FeedbackRow['properties'], name: string): PropertyValue | undefined =>
  properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;

/** The exact value of a property: of a number, or of a text that is a decimal number. */
export const millionthsOfProperty = (value: PropertyValue | undefined): bigint | undefined => {
  if (typeof value === 'number') return millionthsOfNumber(value);
  return typeof value === 'string' && startsAsDecimal(value) ? millionthsOfDecimal(value) : undefined;
};

/** Most texts are no numbers: their first character says so for next to nothing. */
const startsAsDecimal = (text: string): boolean => {
  const code = text.charCodeAt(0);
  return (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46;
};

/** What a stratum is told by: the property as a text, as its number or boolean is written in JSON; empty without it. */
export const textOfProperty = (properties: FeedbackRow['properties'], name: string): string => {
  const property = ownProperty(properties, name);
  return property === undefined ? '' : String(property);
};

/** @returns undefined where the row has no such value: it is counted as unconverted and left out */
export const valueTaken = ({ property }: EventSelector, { value, properties }: FeedbackRow): bigint | undefined => {
  if (property !== undefined) return millionthsOfProperty(ownProperty(properties, property));
  return value === undefined ? undefined : BigInt(value);
};
