/** Every field that a scenario may have, from the schema itself: for suggestions, and as the reference in the documentation. */
import { z } from 'zod';
import { scenario } from './scenario.js';

interface Described {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Described>>;
  readonly additionalProperties?: Described | boolean;
  readonly items?: Described;
  readonly anyOf?: readonly Described[];
  readonly allOf?: readonly Described[];
  readonly required?: readonly string[];
  readonly $ref?: string;
}

export interface Field {
  /** `experiments[].arms[].variant` */
  readonly path: string;
  readonly meaning: string;
  readonly ifAbsent: string;
}

/** These have their own reference: the control API's. */
const ELSEWHERE = new Set(['define.metrics[]', 'define.experiments[]']);
/** Said once, at the end. */
const isDistribution = ({ anyOf }: Described): boolean => anyOf?.some((one) => one.properties?.distribution !== undefined) === true;

const schemaOf = (): Described => z.toJSONSchema(scenario, { io: 'input', unrepresentable: 'any' }) as Described;

export const scenarioFields = (): readonly Field[] => {
  const fields: Field[] = [];
  let distribution: Described | undefined;
  const visit = (node: Described, path: string): void => {
    if (ELSEWHERE.has(path)) return;
    if (isDistribution(node)) {
      distribution ??= node.anyOf?.find((one) => one.properties !== undefined);
      return;
    }
    if (node.items !== undefined) visit(node.items, `${path}[]`);
    for (const [name, inner] of Object.entries(node.properties ?? {})) {
      const below = path === '' ? name : `${path}.${name}`;
      if (name === '$schema') continue;
      fields.push({ path: below, meaning: meaningOf(inner), ifAbsent: absenceOf(inner, node.required?.includes(name) === true) });
      visit(inner, below);
    }
  };
  visit(schemaOf(), '');
  for (const [name, inner] of Object.entries(distribution?.properties ?? {}))
    fields.push({
      path: `(distribution).${name}`,
      meaning: meaningOf(inner),
      ifAbsent: name === 'distribution' ? 'required; or a number alone, which is constant' : '–',
    });
  return fields;
};

const meaningOf = (node: Described): string => {
  const values = node.enum?.map((value) => `\`${String(value)}\``).join(', ');
  const words = [values, node.description].filter((part) => part !== undefined).join(': ');
  return isDistribution(node) ? `${words} (a number or a distribution)` : words;
};

const absenceOf = ({ default: value, type }: Described, isRequired: boolean): string => {
  if (isRequired) return 'required';
  if (value === undefined) return type === 'array' ? 'none' : '–';
  return JSON.stringify(value).length === 2 && typeof value === 'object' ? 'none' : `\`${JSON.stringify(value)}\``;
};

/** Names of fields at any depth. */
export const fieldNames = (): readonly string[] => {
  const names = new Set<string>();
  const visit = (node: Described): void => {
    for (const [name, inner] of Object.entries(node.properties ?? {})) {
      names.add(name);
      visit(inner);
    }
    if (node.items !== undefined) visit(node.items);
    for (const inner of [...(node.anyOf ?? []), ...(node.allOf ?? [])]) visit(inner);
    if (typeof node.additionalProperties === 'object') visit(node.additionalProperties);
  };
  visit(schemaOf());
  return [...names];
};

/** The reference as a table in Markdown. */
export const fieldTable = (): string =>
  [
    '| field | what it says | if absent |',
    '| --- | --- | --- |',
    ...scenarioFields().map(({ path, meaning, ifAbsent }) => `| \`${path}\` | ${meaning} | ${ifAbsent} |`),
  ].join('\n');
