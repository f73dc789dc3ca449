/** How a unit's rows become one number, as SQL. */

import type { Measure, MeasuredMetric } from '../definition/measures.js';
import { tieSql } from './clickhouse-units-statement.js';

/** Orders the rows of a unit by event time, then as ties are broken. Instants may lie before 1970: shifted, so that the packed number sorts as they do. */
export const placeSql = (historical: boolean): string =>
  `bitShiftLeft(toUInt128(toUInt64(event_at + 4611686018427387904)), 64) + toUInt128(${tieSql(historical)})`;

/** Over the rows where `has` holds; `first` and `last` go by a column `ordering`. Zero without rows: `max`, `min`, `first` and `last` of nothing are 0 in the engine too. */
export const aggregateSql = ({ aggregate }: Measure, value: string, has: string): string => {
  switch (aggregate) {
    case 'any':
      return `toInt128(countIf(${has}) > 0) * 1000000`;
    case 'count':
      return `toInt128(countIf(${has})) * 1000000`;
    case 'sum':
      return `sumIf(toInt128(${value}), ${has})`;
    case 'max':
      return `toInt128(maxIf(${value}, ${has}))`;
    case 'min':
      return `toInt128(minIf(${value}, ${has}))`;
    case 'first':
      return `toInt128(argMinIf(${value}, ordering, ${has}))`;
    case 'last':
      return `toInt128(argMaxIf(${value}, ordering, ${has}))`;
  }
};

// Not least and greatest: the engine compiles those wrongly for Int128.
export const cappedSql = (number: string, { capLower, capUpper }: MeasuredMetric): string => {
  const lower = capLower === null ? [] : [`(${number}) < toInt128('${capLower}'), toInt128('${capLower}')`];
  const upper = capUpper === null ? [] : [`(${number}) > toInt128('${capUpper}'), toInt128('${capUpper}')`];
  const bounds = [...lower, ...upper];
  return bounds.length === 0 ? number : `multiIf(${bounds.join(', ')}, ${number})`;
};
