import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../errors.js';
import { armsOf, assignsTheSame, type ExperimentDefinition, requireSoundDefinition } from './experiment-definition.js';
import { anExperiment } from './experiments.examples.js';

/** `code path: sentence` of the refusal, or `sound`. */
const judged = (change: Partial<ExperimentDefinition>): string => {
  try {
    requireSoundDefinition(anExperiment(change));
    return 'sound';
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return `${error.code} ${error.details.path ?? '-'}: ${error.message}`;
  }
};
const weights = (...given: readonly (number | null)[]) => ({
  variants: given.map((weight, index) => ({ key: ['blue', 'green', 'red'][index] ?? '', weight })),
});

describe('a definition', () => {
  it('is sound with two arms, a control among them and something to show', () => {
    expect(judged({})).toBe('sound');
  });
  it('has a key that can be in an address', () => {
    expect(judged({ key: 'Bad Key' })).toMatch(/^invalid-slug \/key/);
    expect(judged({ key: 'preview' })).toMatch(/^reserved-slug \/key.*"preview-1"/);
    expect(judged({ key: 'x'.repeat(81) })).toMatch(/81 characters.*1–80/);
  });
  it('names each variant once', () => {
    expect(judged({ variants: [...anExperiment().variants, { key: 'green', weight: 1 }] })).toMatch(/^variant-twice \/variants\/2\/key/);
  });
  it('has at least two arms', () => {
    const variants = [
      { key: 'a', arm: 'blue', weight: 1 },
      { key: 'b', arm: 'blue', weight: 1 },
    ];
    expect(judged({ variants })).toMatch(/^too-few-arms \/variants: .*at least 2 arms, 2 variants form 1/);
  });
  it('has a control among its arms', () => {
    expect(judged({ control: 'red' })).toMatch(/^control-not-an-arm \/control: .*"red" is none of the 2 arms: "blue", "green"/);
    const variants = [
      { key: 'blue', arm: 'old', weight: 1 },
      { key: 'green', weight: 1 },
    ];
    expect(judged({ variants })).toMatch(/^control-not-an-arm/);
    expect(judged({ variants, control: 'old' })).toBe('sound');
  });
  it('has integer weights with a positive sum, or none at all', () => {
    expect(judged(weights(null, null))).toBe('sound');
    expect(judged(weights(0, 1))).toBe('sound');
    expect(judged(weights(1, null))).toMatch(/^weights-incomplete \/variants: 1 of 2/);
    expect(judged(weights(0, 0))).toMatch(/^weights-zero \/variants: the 2 weights add up to 0/);
    expect(judged(weights(1, 0.5))).toMatch(/^weight-not-an-integer \/variants\/1\/weight: .*0.5/);
    expect(judged(weights(1, -1))).toMatch(/^weight-not-an-integer/);
    expect(judged(weights(1, Number.NaN))).toMatch(/^weight-not-an-integer/);
  });
  it('uses a metric in one role', () => {
    const metrics = [
      { metric: 'converted', role: 'success' },
      { metric: 'converted', role: 'guardrail' },
    ] as const;
    expect(judged({ metrics })).toMatch(/^metric-twice \/metrics\/1\/metric/);
  });
  it('has margins on guardrails only', () => {
    const withRole = (role: 'success' | 'guardrail' | 'secondary') => ({
      metrics: [{ metric: 'converted', role, margin: { relative: 0.1 } }],
    });
    expect(judged(withRole('guardrail'))).toBe('sound');
    expect(judged(withRole('success'))).toMatch(/^margin-without-guardrail \/metrics\/0\/margin: .*role is success/);
    expect(judged(withRole('secondary'))).toMatch(/^margin-without-guardrail/);
  });
  it('says what harm does of guardrails alone', () => {
    const used = (role: 'success' | 'guardrail' | 'secondary') => [
      { metric: 'converted', role: 'success' as const },
      { metric: 'revenue', role, onHarm: 'hold' as const },
    ];
    expect(judged({ metrics: used('guardrail') })).toBe('sound');
    expect(judged({ metrics: used('success') })).toMatch(/^on-harm-without-guardrail \/metrics\/1\/onHarm: .*role is success/);
    expect(judged({ metrics: used('secondary') })).toMatch(/^on-harm-without-guardrail/);
  });
  it('could conclude something', () => {
    expect(judged({ metrics: [{ metric: 'converted', role: 'guardrail' }] })).toMatch(
      /^nothing-to-show .*needs a success metric or a guardrail with a margin/,
    );
    expect(judged({ metrics: [{ metric: 'converted', role: 'secondary' }] })).toMatch(/^nothing-to-show/);
  });
});

describe('who gets what', () => {
  const assigns = (change: Partial<ExperimentDefinition>) => !assignsTheSame(anExperiment(), anExperiment(change));
  it('is said by variants, unit type, feature and assignment', () => {
    expect(assigns(weights(2, 1))).toBe(true);
    expect(assigns({ variants: [...anExperiment().variants].reverse() })).toBe(true);
    expect(assigns({ unitType: 'device' })).toBe(true);
    expect(assigns({ feature: 'button' })).toBe(true);
    expect(assigns({ assignment: 'rampart' })).toBe(true);
  });
  it('is not said by names, metrics, control or plan', () => {
    expect(assigns({ name: 'Other', hypothesis: '', control: 'green', metrics: [{ metric: 'revenue', role: 'success' }] })).toBe(false);
    expect(assigns({ plan: { ...anExperiment().plan, alpha: 0.01 } })).toBe(false);
  });
});

it('lists arms in the order of the variants, each once', () => {
  const variants = [
    { key: 'a', arm: 'new', weight: 1 },
    { key: 'b', weight: 1 },
    { key: 'c', arm: 'new', weight: 1 },
  ];
  expect(armsOf({ variants })).toEqual(['new', 'b']);
});
