/** `rampart plan power`: what an experiment would take, as a sentence, a table and a curve. */
import type { PowerPlan, PowerRequest } from '@rampart/contracts';
import type { Typed } from '../command-line.js';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { textTable } from '../report/text-table.js';

type Texts = Typed['texts'];
const PATH = '/v1/plans/power';
const BAR = 40;

/** @throws Refusal (exit code 2) */
export const powerRequest = ({ texts, flags }: Typed): PowerRequest => ({
  metric: metricOf(texts),
  minimumEffect: effectOf(texts),
  method: flags['one-look'] === true ? 'fixed-horizon' : 'sequential',
  sides: flags['one-sided'] === true ? 'one-sided' : 'two-sided',
  ...numbers(texts, {
    alpha: 'alpha',
    power: 'power',
    treatments: 'treatments',
    metrics: 'successMetrics',
    'control-per-treatment': 'controlPerTreatment',
    correlation: 'correlation',
    'per-day': 'unitsPerDay',
    units: 'units',
  }),
});

const metricOf = (texts: Texts): PowerRequest['metric'] => {
  const { rate, mean, sd } = texts;
  if ((rate === undefined) === (mean === undefined))
    throw usage('Say what control is like: --rate SHARE, or --mean NUMBER --sd NUMBER. See rampart plan --help.');
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

const numbers = (texts: Texts, names: Readonly<Record<string, keyof PowerRequest>>): Partial<PowerRequest> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([option, field]) => {
      const text = texts[option];
      return text === undefined ? [] : [[field, numberOf(option, text)]];
    }),
  );

const numberOf = (option: string, text: string): number => {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw usage(`--${option} is a number, not "${text}".`);
  return number;
};

export const planPower = async (typed: Typed, environment: Environment, print: (text: string) => void): Promise<void> => {
  const request = powerRequest(typed);
  const { address } = await requirePlatform(environment, typed.texts.address);
  const client = new ApiClient(address, adminKey(environment).key, 30_000);
  try {
    const { body } = await client.expect('POST', PATH, [200], request);
    print(typed.flags.json === true ? JSON.stringify(body, undefined, 2) : reportOf(body as PowerPlan));
  } finally {
    await client.close();
  }
};

const reportOf = ({ sentence, fixed, sequential, plannedUnits, withUnits, curve, alphaOfOne }: PowerPlan): string => {
  const rows: (readonly [string, string])[] = [
    ['units at one look', `${fixed.total} (control ${fixed.control}, a treatment ${fixed.treatment})`],
    ['α of one comparison', shown(alphaOfOne)],
  ];
  if (sequential !== null)
    rows.push(
      ['units at most, watched', `${sequential.maximumUnits} (${shown(sequential.inflation)} times)`],
      ['plan.plannedUnits', `${plannedUnits}`],
    );
  if (withUnits !== null) {
    const { relative, absolute } = withUnits.minimumEffect;
    rows.push([
      `with ${withUnits.units} units`,
      `power ${percent(withUnits.power)}; finds ${relative === null ? shown(absolute) : percent(relative)}`,
    ]);
  }
  const bars = curve.map(({ units, power }) => [`${units}`, percent(power), '█'.repeat(Math.round(power * BAR)).padEnd(BAR)] as const);
  return [sentence, '', textTable(rows, 2), '', textTable([['units', 'power', ''], ...bars], 0)].join('\n');
};

const shown = (number: number): string => `${Number(number.toPrecision(4))}`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
