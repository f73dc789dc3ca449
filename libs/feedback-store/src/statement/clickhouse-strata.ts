/** By which value of a property a unit is told apart, as SQL; `textOfProperty` says the same in TypeScript. */
import type { PropertyStrata, StratumCount } from '../feedback-store.js';
import type { Parameters } from './clickhouse-parameters.js';

/** The place of the property's text among the values, from 1; 0 where it is none of them. Numbers are compared as numbers: texts of them differ by engine. */
export const stratumSql = ({ property, values }: PropertyStrata, parameters: Parameters): string => {
  const name = parameters.bind('String', property);
  const numbers = values.flatMap((value, at) =>
    String(Number(value)) === value && Number.isFinite(Number(value)) ? [{ value: Number(value), place: at + 1 }] : [],
  );
  const place = (value: string) => values.indexOf(value) + 1;
  const ofNumber =
    numbers.length === 0
      ? '0'
      : `transform(numbers[${name}], ${parameters.bind(
          'Array(Float64)',
          numbers.map(({ value }) => value),
        )}, [${numbers.map((one) => one.place).join(', ')}], 0)`;
  return `toUInt16(multiIf(mapContains(strings, ${name}), indexOf(${parameters.bind('Array(String)', values)}, strings[${name}]), mapContains(numbers, ${name}), ${ofNumber},
    mapContains(booleans, ${name}), if(booleans[${name}], ${place('true')}, ${place('false')}), ${place('')}))`;
};

/** Kind and text of the property: numbers as their bits. */
export const propertyTextSql = (property: string, parameters: Parameters): string => {
  const name = parameters.bind('String', property);
  return `multiIf(mapContains(strings, ${name}), ('string', strings[${name}]), mapContains(numbers, ${name}), ('number', toString(reinterpretAsUInt64(numbers[${name}]))),
    mapContains(booleans, ${name}), ('boolean', if(booleans[${name}], 'true', 'false')), ('none', ''))`;
};

export interface PropertyTextRow {
  readonly kind: 'string' | 'number' | 'boolean' | 'none';
  readonly text: string;
  readonly units: string;
}

/** Equal texts of different kinds are one value. */
export const stratumCounts = (rows: readonly PropertyTextRow[]): readonly StratumCount[] => {
  const counts = new Map<string, number>();
  for (const { kind, text, units } of rows) {
    const value = kind === 'number' ? String(numberOfBits(text)) : text;
    counts.set(value, (counts.get(value) ?? 0) + Number(units));
  }
  return [...counts].map(([value, units]) => ({ value, units }));
};

const numberOfBits = (bits: string): number => new Float64Array(BigUint64Array.of(BigInt(bits)).buffer)[0] ?? 0;
