/** `rampart plan power`: what an experiment would take, as a sentence, a table and a curve. */
import type { HistoryQuestion, PowerPlan, PowerPlanFromHistory, PowerRequest } from '@rampart/contracts';
import type { Typed } from '../command-line.js';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { textTable } from '../report/text-table.js';

type Texts = Typed['texts'];
type Question = Omit<PowerRequest, 'metric' | 'correlation'>;
type HistoryRequest = Question & Pick<HistoryQuestion, 'metric' | 'adjusted'>;
const METHODS = ['sequential', 'group-sequential', 'msprt', 'bayesian', 'fixed-horizon'] as const;
const BAR = 40;

/** Whom to ask what. @throws Refusal (exit code 2) */
export const powerRequest = (typed: Typed): { readonly path: string; readonly body: PowerRequest | HistoryRequest } => {
  const { texts, flags } = typed;
  if (texts.experiment === undefined)
    return {
      path: '/v1/plans/power',
      body: { ...questionOf(typed), metric: metricOf(texts), ...numbers(texts, { correlation: 'correlation' }) },
    };
  if (texts.metric === undefined) throw usage('Say which metric of the experiment is planned for: --metric KEY.');
  for (const one of ['rate', 'mean', 'sd', 'correlation'])
    if (texts[one] !== undefined) throw usage(`--${one} is what ${texts.experiment} has shown: leave it out.`);
  const scope = new URLSearchParams({ project: texts.project ?? 'default', ...(texts.environment && { environment: texts.environment }) });
  const body = { ...questionOf(typed), metric: texts.metric, adjusted: flags['without-covariate'] !== true };
  return { path: `/v1/experiments/${encodeURIComponent(texts.experiment)}/power?${scope}`, body };
};

const questionOf = ({ texts, flags }: Typed): Question => ({
  minimumEffect: effectOf(texts),
  method: methodOf(texts, flags['one-look'] === true),
  sides: flags['one-sided'] === true ? 'one-sided' : 'two-sided',
  ...spendingOf(texts),
  ...bayesianOf(texts),
  ...numbers(texts, {
    alpha: 'alpha',
    power: 'power',
    treatments: 'treatments',
    metrics: 'successMetrics',
    'control-per-treatment': 'controlPerTreatment',
    looks: 'looks',
    tau: 'tau',
    'per-day': 'unitsPerDay',
    units: 'units',
  }),
});

const methodOf = ({ method }: Texts, isOneLook: boolean): (typeof METHODS)[number] => {
  if (isOneLook && method !== undefined && method !== 'fixed-horizon') throw usage(`--one-look is method fixed-horizon, not ${method}.`);
  if (method === undefined) return isOneLook ? 'fixed-horizon' : 'sequential';
  const found = METHODS.find((one) => one === method);
  if (found === undefined) throw usage(`--method is one of ${METHODS.join(', ')}, not "${method}".`);
  return found;
};

const spendingOf = ({ spending }: Texts): Pick<Question, 'spending'> => {
  if (spending === undefined) return {};
  if (spending === 'obrien-fleming' || spending === 'pocock') return { spending };
  return { spending: { power: numberOf('spending', spending) } };
};

/** The prior is on the relative effect: `2%`, or 0.02. */
const bayesianOf = (texts: Texts): Pick<Question, 'bayesian'> => {
  const sd = texts['prior-sd'];
  if (sd === undefined) {
    const alone = ['prior-mean', 'minimum-units', 'expected-loss', 'chance-to-win'].find((one) => texts[one] !== undefined);
    if (alone !== undefined) throw usage(`--${alone} is of a plan with a prior: say --prior-sd 2% as well.`);
    return {};
  }
  const prior = { mean: shareOf('prior-mean', texts['prior-mean'] ?? '0'), sd: shareOf('prior-sd', sd) };
  const expectedLoss = texts['expected-loss'];
  const others = numbers<'minimumUnits' | 'chanceToWin'>(texts, { 'minimum-units': 'minimumUnits', 'chance-to-win': 'chanceToWin' });
  return {
    bayesian: { prior, ...others, ...(expectedLoss === undefined ? {} : { expectedLoss: shareOf('expected-loss', expectedLoss) }) },
  };
};

const shareOf = (option: string, text: string): number =>
  text.endsWith('%') ? numberOf(option, text.slice(0, -1)) / 100 : numberOf(option, text);

const metricOf = (texts: Texts): PowerRequest['metric'] => {
  const { rate, mean, sd } = texts;
  if ((rate === undefined) === (mean === undefined))
    throw usage(
      'Say what control is like: --rate SHARE, or --mean NUMBER --sd NUMBER, or --experiment KEY --metric KEY. See rampart plan --help.',
    );
  if (rate !== undefined) return { rate: numberOf('rate', rate) };
  if (mean === undefined || sd === undefined) throw usage('A mean needs its spread between units: --sd NUMBER.');
  return { mean: numberOf('mean', mean), sd: numberOf('sd', sd) };
};

/** `5%` is a share of control's mean, `0.4` is in the metric's unit. */
const effectOf = ({ effect }: Texts): PowerRequest['minimumEffect'] => {
  if (effect === undefined)
    throw usage('Say the smallest effect that must not be missed: --effect 5% (of control’s mean) or --effect 0.4.');
  const isShare = effect.endsWith('%');
  const number = numberOf('effect', isShare ? effect.slice(0, -1) : effect);
  return isShare ? { relative: number / 100 } : { absolute: number };
};

const numbers = <Field extends string>(texts: Texts, names: Readonly<Record<string, Field>>): { readonly [F in Field]?: number } =>
  Object.fromEntries(
    Object.entries(names).flatMap(([option, field]) => {
      const text = texts[option];
      return text === undefined ? [] : [[field, numberOf(option, text)]];
    }),
  ) as { readonly [F in Field]?: number };

const numberOf = (option: string, text: string): number => {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw usage(`--${option} is a number, not "${text}".`);
  return number;
};

export const planPower = async (typed: Typed, environment: Environment, print: (text: string) => void): Promise<void> => {
  const { path, body: question } = powerRequest(typed);
  const { address } = await requirePlatform(environment, typed.texts.address);
  const client = new ApiClient(address, adminKey(environment).key, 30_000);
  try {
    const { body } = await client.expect('POST', path, [200], question);
    print(typed.flags.json === true ? JSON.stringify(body, undefined, 2) : reportOf(body as PowerPlan));
  } finally {
    await client.close();
  }
};

const reportOf = (plan: PowerPlan & Partial<PowerPlanFromHistory>): string => {
  const { sentence, fixed, watched, plannedUnits, withUnits, curve, alphaOfOne, assurance, history } = plan;
  const rows: (readonly [string, string])[] = [
    ['units at one look', `${fixed.total} (control ${fixed.control}, a treatment ${fixed.treatment})`],
  ];
  if (history !== undefined) {
    const { metric, mean, sd, units, correlation } = history;
    const covariate = correlation === null ? '' : `, correlation with its covariate ${shown(correlation)}`;
    rows.unshift([`${metric} so far`, `mean ${shown(mean)}, spread ${shown(sd)} over ${units} units of control${covariate}`]);
  }
  if (alphaOfOne !== null) rows.push(['α of one comparison', shown(alphaOfOne)]);
  if (watched !== null)
    rows.push(
      ['units at most', `${watched.maximumUnits} (${shown(watched.inflation)} times), ${watched.looks} looks`],
      ['units on average', `${watched.averageUnits}; without an effect ${watched.averageUnitsWithoutEffect}`],
      ['plan.plannedUnits', `${plannedUnits}`],
    );
  if (assurance !== null) rows.push(['chance of a gain, over the prior', percent(assurance)]);
  if (withUnits !== null) rows.push([`with ${withUnits.units} units`, foundWith(withUnits)]);
  const bars = curve.map(({ units, power }) => [`${units}`, percent(power), '█'.repeat(Math.round(power * BAR)).padEnd(BAR)] as const);
  return [sentence, '', textTable(rows, 2), '', textTable([['units', 'power', ''], ...bars], 0)].join('\n');
};

const foundWith = ({ power, minimumEffect }: NonNullable<PowerPlan['withUnits']>): string => {
  if (minimumEffect === null) return 'nothing is tested: too few for a look';
  const { relative, absolute } = minimumEffect;
  return `power ${percent(power)}; finds ${relative === null ? shown(absolute) : percent(relative)}`;
};

const shown = (number: number): string => `${Number(number.toPrecision(4))}`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
