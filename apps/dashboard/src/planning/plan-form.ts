/** The questions of the planning page as texts: what its address holds, and what they ask of the platform. */
import type { PowerRequest } from '@rampart/contracts';

export const METHODS = ['sequential', 'group-sequential', 'msprt', 'bayesian', 'fixed-horizon'] as const;
export type Method = (typeof METHODS)[number];

/** Also the order in which what is missing is named. Those of the address have these names. */
const BEFORE = {
  metric: '',
  /** The experiment that says what control is like; empty: the numbers below do. */
  from: '',
  kind: 'rate',
  rate: '',
  mean: '',
  sd: '',
  correlation: '',
  effect: '',
  method: 'sequential',
  looks: '',
  tau: '',
  priorSd: '',
  sides: 'two-sided',
  treatments: '1',
  perDay: '',
  power: '80%',
  alpha: '5%',
  successMetrics: '1',
  units: '',
};
export type PlanField = keyof typeof BEFORE;
export type PlanForm = Readonly<Record<PlanField, string>>;
const FIELDS = Object.keys(BEFORE) as readonly PlanField[];

export const LABELS: Readonly<Record<PlanField, string>> = {
  ...{ metric: 'Metric', from: 'As it was in', kind: 'Control is', rate: 'Share of control', mean: 'Mean of control' },
  ...{ sd: 'Spread between units', correlation: 'Correlation with before', effect: 'Smallest effect worth finding' },
  ...{ method: 'Method', looks: 'Looks', tau: 'Spread of true effects (τ)', priorSd: 'Spread of the prior', sides: 'Sides' },
  ...{ treatments: 'Treatments beside control', perDay: 'New units a day', power: 'Power', alpha: 'α of all together' },
  ...{ successMetrics: 'Success metrics', units: 'Units that will come' },
};

/** @param query  what stands behind the ? of the address */
export const formOf = (query: string): PlanForm => {
  const asked = new URLSearchParams(query);
  return Object.fromEntries(FIELDS.map((field) => [field, asked.get(field) ?? BEFORE[field]])) as PlanForm;
};

/** As short as it can be: what is as before is left out. */
export const queryOf = (form: PlanForm): string =>
  new URLSearchParams(FIELDS.flatMap((field) => (form[field] === BEFORE[field] ? [] : [[field, form[field]]]))).toString();

export const isMethod = (text: string): text is Method => METHODS.some((one) => one === text);

type Asked = Omit<PowerRequest, 'metric' | 'correlation'>;

export type PlanQuestion =
  | { readonly path: string; readonly body: PowerRequest | (Asked & { readonly metric: string }) }
  | {
      /** Not filled in yet. */
      readonly missing: readonly PlanField[];
      readonly wrong: Readonly<Partial<Record<PlanField, string>>>;
    };

/** What is said is read here; whether the platform takes it is the platform's to say. */
export const questionOf = (form: PlanForm): PlanQuestion => {
  const missing: PlanField[] = [];
  const wrong: Partial<Record<PlanField, string>> = {};
  const number = (field: PlanField): number | undefined => {
    const text = form[field].trim();
    if (text === '') return undefined;
    const read = numberIn(text);
    if (typeof read === 'number') return read;
    wrong[field] = read.wrong;
    return undefined;
  };
  const needed = (field: PlanField): number => {
    if (form[field].trim() === '') missing.push(field);
    return number(field) ?? Number.NaN;
  };
  const numbers = <Name extends PlanField>(...fields: readonly Name[]): { readonly [N in Name]?: number } =>
    Object.fromEntries(fields.flatMap((field) => (number(field) === undefined ? [] : [[field, number(field)]]))) as {
      readonly [N in Name]?: number;
    };
  const rule = (field: PlanField, holds: boolean, sentence: string): void => {
    if (!holds && wrong[field] === undefined && !missing.includes(field)) wrong[field] = sentence;
  };

  const metric = form.from === '' ? expected(form.kind, needed, rule) : form.metric;
  if (form.from !== '' && form.metric === '') missing.push('metric');
  const effect = needed('effect');
  rule('effect', effect !== 0, 'must not be 0');
  const perDay = number('perDay');
  const method: Method = isMethod(form.method) ? form.method : 'sequential';
  rule('method', isMethod(form.method), `is none of ${METHODS.join(', ')}`);
  const body: Asked & { readonly correlation?: number } = {
    ...{ minimumEffect: form.effect.includes('%') ? { relative: effect } : { absolute: effect }, method },
    ...(method === 'bayesian' ? { bayesian: { prior: { mean: 0, sd: needed('priorSd') } } } : {}),
    ...(method === 'msprt' ? { tau: needed('tau') } : {}),
    ...(method === 'group-sequential' ? numbers('looks') : {}),
    ...(form.sides === 'one-sided' ? { sides: 'one-sided' as const } : {}),
    ...numbers('treatments', 'power', 'alpha', 'successMetrics', 'units'),
    ...(perDay === undefined ? {} : { unitsPerDay: perDay }),
    ...(form.from === '' ? numbers('correlation') : {}),
  };
  if (missing.length > 0 || Object.keys(wrong).length > 0) return { missing: FIELDS.filter((field) => missing.includes(field)), wrong };
  return typeof metric === 'string'
    ? { path: `/v1/experiments/${encodeURIComponent(form.from)}/power`, body: { ...body, metric } }
    : { path: '/v1/plans/power', body: { ...body, metric } };
};

const expected = (
  kind: string,
  needed: (field: PlanField) => number,
  rule: (field: PlanField, holds: boolean, sentence: string) => void,
): PowerRequest['metric'] => {
  if (kind === 'rate') {
    const rate = needed('rate');
    rule('rate', rate > 0 && rate < 1, 'must lie between 0 and 1 (0 % and 100 %)');
    return { rate };
  }
  const [mean, sd] = [needed('mean'), needed('sd')];
  rule('sd', sd > 0, 'must be above 0');
  return { mean, sd };
};

/** `10%` is 0.1; digits may be grouped by blanks. */
const numberIn = (text: string): number | { readonly wrong: string } => {
  const isShare = text.endsWith('%');
  const digits = (isShare ? text.slice(0, -1) : text).replaceAll(/[\s\u202f\u00a0]/g, '').replace('−', '-');
  if (digits.includes(',')) return { wrong: `“${text}” has a comma: write a dot before decimals, and nothing between thousands` };
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits)) return { wrong: `“${text}” is not a number` };
  const value = Number(digits);
  return isShare ? Number((value / 100).toPrecision(15)) : value;
};

const PLACES: readonly (readonly [string, PlanField])[] = [
  ['/metric/rate', 'rate'],
  ['/metric/mean', 'mean'],
  ['/metric/sd', 'sd'],
  ['/minimumEffect', 'effect'],
  ['/unitsPerDay', 'perDay'],
  ['/bayesian', 'priorSd'],
];

/** Where the platform's refusal belongs. @param path  JSON pointer into the question @returns undefined where no field has it */
export const fieldAt = (path: string, form: PlanForm): PlanField | undefined => {
  if (path === '/metric') return form.from !== '' ? 'metric' : form.kind === 'rate' ? 'rate' : 'mean';
  const named = PLACES.find(([place]) => path.startsWith(place));
  return named?.[1] ?? FIELDS.find((field) => path === `/${field}`);
};
