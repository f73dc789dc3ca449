/** Which rows count. */
import type { Condition } from '../plan/plan.js';
import { type ExactDecimal, readDecimal } from '../table/exact-decimals.js';

export type RowTest = (cells: readonly string[]) => boolean;

/** @param columnAt  position of a column; refuses one that the file lacks */
export const rowTest = (conditions: readonly Condition[], columnAt: (name: string) => number): RowTest => {
  const tests = conditions.map((condition) => compiled(condition, columnAt));
  return (cells) => tests.every((test) => test(cells));
};

const compiled = (condition: Condition, columnAt: (name: string) => number): RowTest => {
  if ('all' in condition) return rowTest(condition.all, columnAt);
  if ('any' in condition) {
    const tests = condition.any.map((one) => compiled(one, columnAt));
    return (cells) => tests.some((test) => test(cells));
  }
  const at = columnAt(condition.column);
  const test = cellTest(condition);
  return (cells) => test(cells[at] ?? '');
};

const cellTest = ({ operator, value }: Extract<Condition, { column: string }>): ((cell: string) => boolean) => {
  const wanted = [value].flat().filter((one) => one !== undefined);
  const isOneOf = (cell: string) => wanted.some((one) => equals(cell, one));
  const bound = readDecimal(String(wanted[0] ?? ''));
  const compares = (holds: (order: number) => boolean) => (cell: string) => {
    const number = readDecimal(cell);
    return number !== undefined && bound !== undefined && holds(order(number, bound));
  };
  switch (operator) {
    case 'eq':
    case 'in':
      return isOneOf;
    case 'ne':
    case 'nin':
      return (cell) => !isOneOf(cell);
    case 'gt':
      return compares((sign) => sign > 0);
    case 'gte':
      return compares((sign) => sign >= 0);
    case 'lt':
      return compares((sign) => sign < 0);
    case 'lte':
      return compares((sign) => sign <= 0);
    case 'exists':
      return (cell) => (cell !== '') === (value ?? true);
  }
};

/** A number of the plan equals `1`, `1.0` and `01`; a text only itself. */
const equals = (cell: string, wanted: string | number | boolean): boolean => {
  if (cell === String(wanted)) return true;
  if (typeof wanted === 'string') return false;
  const [left, right] = [readDecimal(cell), readDecimal(String(wanted))];
  return left !== undefined && right !== undefined && order(left, right) === 0;
};

const order = (left: ExactDecimal, right: ExactDecimal): number => {
  const difference = left.digits * 10n ** BigInt(right.decimals) - right.digits * 10n ** BigInt(left.decimals);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
};
