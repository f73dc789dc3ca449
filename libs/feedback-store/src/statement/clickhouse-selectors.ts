/** Which events a metric takes and what of them, as SQL; `selectors.ts` says the same in TypeScript. */
import type { EventSelector, Filter } from '@rampart/contracts';
import type { Parameters } from './clickhouse-parameters.js';

/** Holds where all filters do; empty without filters. */
export const filtersSql = (filters: readonly Filter[], parameters: Parameters): string =>
  filters.map((filter) => `(${filterSql(filter, parameters)})`).join(' AND ');

const filterSql = ({ property, operator, value }: Filter, parameters: Parameters): string => {
  const name = parameters.bind('String', property);
  switch (operator) {
    case 'exists': {
      const exists = `mapContains(strings, ${name}) OR mapContains(numbers, ${name}) OR mapContains(booleans, ${name})`;
      return value === false ? `NOT (${exists})` : exists;
    }
    case 'eq':
      return equalsAny(name, scalar(value), parameters);
    case 'ne':
      return `NOT (${equalsAny(name, scalar(value), parameters)})`;
    case 'in':
      return equalsAny(name, listed(value), parameters);
    case 'nin':
      return `NOT (${equalsAny(name, listed(value), parameters)})`;
    default:
      return ordered(name, comparisons[operator], value, parameters);
  }
};

const comparisons = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

type Scalar = string | number | boolean;

const scalar = (value: Filter['value']): readonly Scalar[] => (value === undefined || Array.isArray(value) ? [] : [value as Scalar]);
const listed = (value: Filter['value']): readonly Scalar[] => (Array.isArray(value) ? value : scalar(value));

/** A number equals numbers only, a string strings only: nothing is converted. */
const equalsAny = (name: string, values: readonly Scalar[], parameters: Parameters): string => {
  const strings = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value === 'number');
  const booleans = values.filter((value) => typeof value === 'boolean');
  const among = (map: string, type: string, list: readonly (string | number)[]) =>
    list.length === 0 ? [] : [`(mapContains(${map}, ${name}) AND has(${parameters.bind(`Array(${type})`, list)}, ${map}[${name}]))`];
  return (
    [
      ...among('strings', 'String', strings),
      ...among('numbers', 'Float64', numbers),
      ...booleans.map((value) => `(mapContains(booleans, ${name}) AND booleans[${name}] = ${value})`),
    ].join(' OR ') || '0'
  );
};

const ordered = (name: string, comparison: string, value: Filter['value'], parameters: Parameters): string => {
  if (typeof value === 'number') {
    return `mapContains(numbers, ${name}) AND numbers[${name}] ${comparison} ${parameters.bind('Float64', value)}`;
  }
  if (typeof value === 'string') {
    return `mapContains(strings, ${name}) AND strings[${name}] ${comparison} ${parameters.bind('String', value)}`;
  }
  return '0';
};

/** The value that a selector takes of a row, and whether there is one. */
export interface ValueSql {
  readonly value: string;
  readonly hasValue: string;
}

export const valueSql = ({ property }: EventSelector, parameters: Parameters): ValueSql => {
  if (property === undefined) return { value: 'ifNull(value, 0)', hasValue: 'isNotNull(value)' };
  const name = parameters.bind('String', property);
  return { value: `millionths[${name}]`, hasValue: `mapContains(millionths, ${name})` };
};

export type PropertyMap = 'strings' | 'numbers' | 'booleans' | 'millionths';

/** The maps that these selectors look into: the others need not be read. */
export const propertyMaps = (selectors: readonly EventSelector[]): readonly PropertyMap[] => [
  ...(selectors.some(({ filters }) => filters.length > 0) ? (['strings', 'numbers', 'booleans'] as const) : []),
  ...(selectors.some(({ property }) => property !== undefined) ? (['millionths'] as const) : []),
];
