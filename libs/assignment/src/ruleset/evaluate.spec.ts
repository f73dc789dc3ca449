import { describe, expect, it } from '@jest/globals';
import { compilePayload } from '../payload/compile-payload.js';
import { evaluate, evaluateAll } from './evaluate.js';
import { featureResult, trackingKey } from './results.js';
import { unitOf } from './unit.js';

const experiment = { key: 'e', variations: ['a', 'b'], hashVersion: 2, seed: 's', meta: [{ key: 'x' }, { key: 'y' }] };
const payload = {
  features: {
    plain: { defaultValue: 0, rules: [experiment] },
    held: {
      defaultValue: 0,
      rules: [
        { key: 'h', variations: [1, 2], ranges: [[0, 0] as const, [0, 1] as const], meta: [{}, { passthrough: true }] },
        { force: 3 },
      ],
    },
    remote: { defaultValue: 0, rules: [{ force: 1, tracks: [{ experiment: { key: 'r' }, result: { variationId: 1 } }] }] },
    child: { defaultValue: 0, rules: [{ parentConditions: [{ id: 'plain', condition: { value: { $exists: true } } }], force: 5 }] },
  },
};

describe('exposures', () => {
  const trackedBy = (feature: string) => {
    const unit = unitOf({ attributes: { id: 'u' } });
    unit.tracked = [];
    evaluate(compilePayload(payload), feature, unit);
    return unit.tracked;
  };

  it('are data: the experiment and the result that a tracking call would have', () => {
    const [one] = trackedBy('plain');
    expect(one?.experiment).toMatchObject({ key: 'e' });
    expect(one?.result).toMatchObject({ hashUsed: true, inExperiment: true, hashAttribute: 'id', hashValue: 'u' });
    expect(one && trackingKey(one)).toBe(`idue${String(one?.result.variationId)}`);
  });

  it('count a holdout that lets the unit through, a prerequisite’s experiment, and what a remote evaluation found', () => {
    expect(trackedBy('held').map((one) => one.experiment.key)).toEqual(['h']);
    expect(trackedBy('child').map((one) => one.experiment.key)).toEqual(['e']);
    expect(trackedBy('remote').map((one) => one.experiment.key)).toEqual(['r']);
  });

  it('are none for a forced variation or value', () => {
    const ruleset = compilePayload(payload);
    const unit = unitOf({ attributes: { id: 'u' }, forcedVariations: { e: 1 }, forcedFeatureValues: [['child', 9]] });
    unit.tracked = [];
    expect(evaluate(ruleset, 'plain', unit)).toMatchObject({ value: 'b', hashUsed: false, reason: 'OVERRIDE', variant: 'y' });
    expect(evaluate(ruleset, 'child', unit)).toMatchObject({ value: 9, source: 'override', reason: 'OVERRIDE' });
    expect(unit.tracked).toEqual([]);
  });
});

describe('the deciding bucket', () => {
  it('is that of the deciding experiment, none for a value that no bucket chose', () => {
    const ruleset = compilePayload(payload);
    const unit = unitOf({ attributes: { id: 'u' } });
    const result = featureResult(evaluate(ruleset, 'plain', unit), unit);
    expect(result.experimentResult?.bucket).toBe(unit.bucket / 10_000);
    for (const feature of ['held', 'child', 'remote', 'unknown']) {
      evaluate(ruleset, feature, unit);
      expect([feature, unit.bucket]).toEqual([feature, -1]);
    }
  });
});

describe('bulk evaluation', () => {
  it('gives a long id, a number as id and no id what evaluation alone gives', () => {
    const ruleset = compilePayload(payload);
    for (const attributes of [{ id: 'x'.repeat(1000) }, { id: 12345 }, { id: '' }, {}]) {
      const alone = ruleset.list.map(({ key }) => evaluate(ruleset, key, unitOf({ attributes })));
      expect(evaluateAll(ruleset, unitOf({ attributes }))).toEqual(alone);
    }
  });
});

describe('a rule that can’t be read', () => {
  it('is left out and named, and the others still decide', () => {
    const coverage = Object.create(null) as number;
    const ruleset = compilePayload({
      features: {
        f: {
          defaultValue: 0,
          rules: [
            { variations: [1, 2], coverage },
            { id: 'next', force: 7 },
          ],
        },
      },
    });
    expect(ruleset.problems.map(({ code }) => code)).toEqual(['rule-unusable']);
    expect(evaluate(ruleset, 'f', unitOf({}))).toMatchObject({ value: 7, ruleId: 'next' });
  });
});
