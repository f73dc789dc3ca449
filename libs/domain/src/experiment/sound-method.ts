/** What each method of a plan needs, and what it can't have: refused with the place before anything runs. */
import { DomainError } from '../errors.js';
import type { Multiplicity } from '../verdict/error-budget.js';
import type { PlanMethod } from '../verdict/plan-state.js';
import type { AnalysisPlan, MetricUse } from './analysis-plan.js';

interface Planned {
  readonly plan: AnalysisPlan;
  readonly metrics: readonly MetricUse[];
}

type Refused = readonly [code: string, path: string, sentence: string];

/** @throws DomainError with the first thing that the method of the plan can't be run with */
export const requireSoundMethod = (definition: Planned): void => {
  for (const [code, path, sentence] of refusals(definition))
    throw new DomainError(code, sentence, { path, method: definition.plan.method });
};

function* refusals(definition: Planned): Generator<Refused> {
  yield* multiplicityRefusals(definition);
  yield* lookRefusals(definition);
  yield* mixtureRefusals(definition);
  yield* priorRefusals(definition);
}

/** Which corrections are valid for the tests of each method. */
const CORRECTIONS: Readonly<Record<PlanMethod, readonly Multiplicity[]>> = {
  'fixed-horizon': ['holm', 'hochberg', 'bh', 'by', 'bonferroni', 'none'],
  sequential: ['holm', 'e-bh', 'bonferroni', 'none'],
  msprt: ['holm', 'e-bh', 'bonferroni', 'none'],
  'group-sequential': ['holm', 'bonferroni', 'none'],
  bayesian: ['holm', 'none'],
};

function* multiplicityRefusals({ plan: { method, multiplicity } }: Planned): Generator<Refused> {
  const valid = CORRECTIONS[method];
  if (valid.includes(multiplicity)) return;
  const sentence = `multiplicity ${multiplicity} is not valid with method ${method}: ${WHY_NOT_VALID[multiplicity](method)}; choose ${valid.join(', ')}`;
  yield ['multiplicity-not-valid', '/plan/multiplicity', sentence];
}

const ofBayesian = 'its decisions go by expected loss, which has no p-values to correct';
const stepUp = (method: PlanMethod): string =>
  method === 'bayesian' ? ofBayesian : 'it needs p-values of one look, whose dependence is known, and this plan has several looks';
const byLevels = (method: PlanMethod): string => (method === 'bayesian' ? ofBayesian : 'its tests are of another kind');
const WHY_NOT_VALID: Readonly<Record<Multiplicity, (method: PlanMethod) => string>> = {
  holm: byLevels,
  bonferroni: byLevels,
  none: byLevels,
  hochberg: stepUp,
  bh: stepUp,
  by: stepUp,
  'e-bh': (method) => (method === 'bayesian' ? ofBayesian : 'it needs e-values that hold at every look, and this plan has only p-values'),
};

function* lookRefusals({ plan }: Planned): Generator<Refused> {
  const { method, looks, spending, plannedUnits } = plan;
  if (method !== 'group-sequential') {
    const named = looks !== undefined ? 'looks' : spending !== undefined ? 'spending' : undefined;
    if (named === undefined) return;
    yield [
      'looks-without-method',
      `/plan/${named}`,
      `${named} belongs to method group-sequential, and this plan is ${method}: leave it out`,
    ];
    return;
  }
  if (looks === undefined) {
    yield ['looks-missing', '/plan/looks', 'a group-sequential plan names its looks before it starts: atUs, or informationFractions'];
    return;
  }
  const [name, values] =
    'atUs' in looks ? (['atUs', looks.atUs] as const) : (['informationFractions', looks.informationFractions] as const);
  const wrong = values.findIndex((value, index) => index > 0 && value <= (values[index - 1] ?? 0));
  if (wrong > 0) {
    const sentence = `looks follow each other: look ${wrong + 1} at ${values[wrong]} does not come after look ${wrong} at ${values[wrong - 1]}`;
    yield ['looks-not-rising', `/plan/looks/${name}/${wrong}`, sentence];
  }
  if (name === 'atUs') return;
  const last = values.at(-1) ?? 0;
  if (last !== 1) {
    const sentence = `the last look is when all planned units are in, at 1; this plan's last is ${last}: α that is left over could never be spent`;
    yield ['last-look-missing', `/plan/looks/informationFractions/${values.length - 1}`, sentence];
  }
  if (plannedUnits === undefined)
    yield ['planned-units-missing', '/plan/plannedUnits', 'looks at shares of the plan need plannedUnits, of which they are shares'];
}

function* mixtureRefusals({ plan, metrics }: Planned): Generator<Refused> {
  for (const [index, { metric, role, tau }] of metrics.entries()) {
    const path = `/metrics/${index}/tau`;
    if (plan.method === 'msprt' && role !== 'secondary' && tau === undefined)
      yield [
        'tau-missing',
        path,
        `method msprt needs tau of ${role} "${metric}" before the first look: how far true effects spread, in the metric's unit`,
      ];
    if (plan.method !== 'msprt' && tau !== undefined)
      yield [
        'tau-without-method',
        path,
        `tau of metric "${metric}" belongs to method msprt, and this plan is ${plan.method}: leave it out`,
      ];
  }
}

function* priorRefusals({ plan: { method, bayesian } }: Planned): Generator<Refused> {
  if (method !== 'bayesian') return;
  if (bayesian === undefined)
    yield [
      'prior-missing',
      '/plan/bayesian',
      'method bayesian decides by a prior: name plan.bayesian with prior { mean, sd }, say 0 and 0.3',
    ];
  else if (bayesian.prior === 'flat') {
    const sentence =
      'a flat prior can be shown and can not decide: by chance alone it passes 97.5 % in two of five experiments that are looked at 200 times; name prior { mean, sd }, say 0 and 0.3';
    yield ['prior-not-proper', '/plan/bayesian/prior', sentence];
  }
}
