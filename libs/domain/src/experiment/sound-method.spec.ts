import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../errors.js';
import { type ExperimentDefinition, requireSoundDefinition } from './experiment-definition.js';
import { anExperiment } from './experiments.examples.js';

/** `code path: sentence` of the refusal, or `sound`. */
const judged = (change: Parameters<typeof anExperiment>[0]): string => {
  try {
    requireSoundDefinition(anExperiment(change));
    return 'sound';
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return `${error.code} ${error.details.path}: ${error.message}`;
  }
};
const planned = (plan: Partial<ExperimentDefinition['plan']>) => judged({ plan });
const bayesian = {
  model: 'normal',
  prior: { mean: 0, sd: 0.3 },
  betaPrior: { a: 0.5, b: 0.5 },
  minimumUnits: 1_000,
  expectedLoss: 0.0025,
  chanceToWin: 0.95,
} as const;

describe('a correction for many tests', () => {
  it.each([
    ['fixed-horizon', ['holm', 'hochberg', 'bh', 'by', 'bonferroni', 'none']],
    ['sequential', ['holm', 'e-bh', 'bonferroni', 'none']],
  ] as const)('of method %s is one of %j', (method, valid) => {
    for (const multiplicity of ['holm', 'hochberg', 'bh', 'by', 'e-bh', 'bonferroni', 'none'] as const) {
      const said = planned({ method, multiplicity });
      if ((valid as readonly string[]).includes(multiplicity)) expect(said).toBe('sound');
      else
        expect(said).toMatch(
          new RegExp(`^multiplicity-not-valid /plan/multiplicity: multiplicity ${multiplicity} is not valid with method ${method}`),
        );
    }
  });

  it('says why it is not valid and which are', () => {
    expect(planned({ method: 'sequential', multiplicity: 'bh' })).toContain(
      'it needs p-values of one look, whose dependence is known, and this plan has several looks; choose holm, e-bh, bonferroni, none',
    );
    expect(planned({ method: 'fixed-horizon', multiplicity: 'e-bh' })).toContain('it needs e-values that hold at every look');
    expect(planned({ method: 'bayesian', bayesian, multiplicity: 'bonferroni' })).toContain('no p-values to correct');
  });
});

describe('a mixture', () => {
  it('has its τ before the first look, for every metric that decides', () => {
    const metrics = [
      { metric: 'converted', role: 'success', tau: 0.01 },
      { metric: 'revenue', role: 'guardrail' },
      { metric: 'visits', role: 'secondary' },
    ] as const;
    expect(judged({ metrics, plan: { method: 'msprt' } })).toMatch(/^tau-missing \/metrics\/1\/tau: .*guardrail "revenue"/);
    expect(judged({ metrics: [metrics[0], metrics[2]], plan: { method: 'msprt' } })).toBe('sound');
  });
  it('has no τ where no method asks for one', () => {
    expect(judged({ metrics: [{ metric: 'converted', role: 'success', tau: 1 }] })).toMatch(/^tau-without-method \/metrics\/0\/tau/);
  });
});

describe('a Bayesian plan', () => {
  it('decides by a proper prior only', () => {
    expect(planned({ method: 'bayesian' })).toMatch(/^prior-missing \/plan\/bayesian:/);
    expect(planned({ method: 'bayesian', bayesian: { ...bayesian, prior: 'flat' } })).toMatch(/^prior-not-proper \/plan\/bayesian\/prior:/);
    expect(planned({ method: 'bayesian', bayesian })).toBe('sound');
  });
  it('may be a view with any prior', () => {
    expect(planned({ bayesian: { ...bayesian, prior: 'flat' } })).toBe('sound');
  });
});

describe('planned looks', () => {
  const looking = (change: Partial<ExperimentDefinition['plan']>) => planned({ method: 'group-sequential', ...change });

  it('are named by a group-sequential plan, and by no other', () => {
    expect(looking({})).toMatch(/^looks-missing \/plan\/looks:/);
    expect(planned({ looks: { atUs: [1] } })).toMatch(/^looks-without-method \/plan\/looks:/);
    expect(planned({ spending: 'pocock' })).toMatch(/^looks-without-method \/plan\/spending:/);
    expect(looking({ looks: { atUs: [1, 2] }, spending: { power: 2 } })).toBe('sound');
  });
  it('follow each other, and shares end with the whole plan', () => {
    expect(looking({ looks: { atUs: [1, 1] } })).toMatch(
      /^looks-not-rising \/plan\/looks\/atUs\/1: .*look 2 at 1 does not come after look 1 at 1/,
    );
    const plannedUnits = 1_000;
    expect(looking({ looks: { informationFractions: [0.5, 0.9] }, plannedUnits })).toMatch(
      /^last-look-missing \/plan\/looks\/informationFractions\/1/,
    );
    expect(looking({ looks: { informationFractions: [0.5, 1] } })).toMatch(/^planned-units-missing \/plan\/plannedUnits/);
    expect(looking({ looks: { informationFractions: [0.5, 1] }, plannedUnits })).toBe('sound');
  });
});
