/** The configuration reference, made from the schemas that the services read their environment with. */
import { z } from 'zod';

export interface Setting {
  readonly name: string;
  readonly description: string;
  /** Text as in the environment; undefined: none. */
  readonly default: string | undefined;
  readonly isRequired: boolean;
  readonly values: string;
}

interface Described {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const where = {
  experiments: 'experiments/dist/experiments-config.js#experimentsConfig',
  assignment: 'assignment/dist/running/assignment-config.js#assignmentConfig',
  ingestion: 'ingestion/dist/running/ingestion-config.js#ingestionConfig',
  analysis: 'analysis/dist/config.js#analysisConfig',
} as const;

export type ServiceName = keyof typeof where;
export const serviceNames = Object.keys(where) as readonly ServiceName[];

const valuesOf = ({ type, enum: choices, minimum, maximum }: Described): string => {
  if (choices !== undefined) return choices.join(', ');
  if (minimum !== undefined || maximum !== undefined) return `${type === 'integer' ? 'whole, ' : ''}${minimum ?? ''} … ${maximum ?? ''}`;
  return 'text';
};

/** In the order of the schema. */
const settingsOf = async (service: ServiceName): Promise<readonly Setting[]> => {
  const [file = '', name = ''] = where[service].split('#');
  const module: Readonly<Record<string, z.ZodType>> = await import(new URL(`../../../apps/${file}`, import.meta.url).href);
  const schema = module[name];
  if (schema === undefined) throw new RangeError(`${file} exports no ${name}`);
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties as Readonly<Record<string, Described>>).map(([setting, described]) => ({
    name: setting,
    description: described.description ?? '',
    default: described.default === undefined ? undefined : String(described.default),
    isRequired: required.includes(setting),
    values: valuesOf(described),
  }));
};

/** One after another: their modules share others. */
export const everySetting = async (): Promise<ReadonlyMap<ServiceName, readonly Setting[]>> => {
  const all = new Map<ServiceName, readonly Setting[]>();
  for (const name of serviceNames) all.set(name, await settingsOf(name));
  return all;
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

const row = ({ name, description, default: usual, isRequired, values }: Setting): string =>
  `| \`${name}\` | ${cell(description)} | ${cell(values)} | ${isRequired ? '**required**' : usual === undefined ? '–' : `\`${cell(usual)}\``} |`;

/** Settings of the same words in every service are told once. */
export const reference = async (): Promise<string> => {
  const all = await everySetting();
  const rows = (settings: readonly Setting[]) => [
    '| setting | meaning | values | default |',
    '| --- | --- | --- | --- |',
    ...settings.map(row),
    '',
  ];
  const [first = [], ...others] = all.values();
  const inAll = first.filter((setting) => others.every((settings) => settings.some((one) => row(one) === row(setting))));
  const isShared = (setting: Setting) => inAll.some((one) => row(one) === row(setting));
  return [
    '### Every service',
    '',
    ...rows(inAll),
    ...[...all].flatMap(([name, settings]) => [`### ${name}`, '', ...rows(settings.filter((one) => !isShared(one)))]),
  ].join('\n');
};

const [BEGIN, END] = ['<!-- settings: begin, made by npm run docs:configuration -->', '<!-- settings: end -->'];

/** @throws RangeError where the document has no place for it */
export const withReference = (document: string, made: string): string => {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new RangeError(`the document must have "${BEGIN}" and "${END}"`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${made}\n${document.slice(to)}`;
};
