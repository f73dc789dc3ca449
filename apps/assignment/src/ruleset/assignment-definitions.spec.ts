import { describe, expect, it } from '@jest/globals';
import { compileDefinitions, evaluate, unitOf } from '@rampart/assignment';
import type { ExperimentState } from '@rampart/contracts';
import fc from 'fast-check';
import { assignmentDefinitions, type PublishedEnvironment } from './assignment-definitions.js';
import { feature, holdout, inForce, layer, override, run, segment } from './published.examples.js';

const experimentIn = (published: PublishedEnvironment) => assignmentDefinitions(published).definitions.experiments?.[0];
const featureIn = (published: PublishedEnvironment) => assignmentDefinitions(published).definitions.features[0];
const answerIn = (published: PublishedEnvironment, id: string) =>
  evaluate(compileDefinitions(assignmentDefinitions(published).definitions), 'checkout', unitOf({ attributes: { id } }));

describe('an experiment that is published', () => {
  it('is assigned in its newest segment, at its coverage and with its seed', () => {
    const segments = [segment({ coverage: 0.1 }), segment({ segment: 2, coverage: 0.5 })];
    expect(experimentIn(inForce({ runs: [run({}, { segments })] }))).toMatchObject({
      key: 'faster-checkout',
      feature: 'checkout',
      segment: 2,
      coverage: 0.5,
      seed: 'seed-1',
      unitAttribute: 'id',
      isSticky: true,
    });
  });

  it('has the control’s variants first and the others as they were defined, since the order is part of the assignment', () => {
    const variants = [
      { key: 'b', weight: 1 },
      { key: 'old-1', arm: 'old', weight: 2 },
      { key: 'a', weight: 3 },
      { key: 'old-2', arm: 'old', weight: 4 },
    ];
    const { arms } = experimentIn(inForce({ runs: [run({ variants, control: 'old' })] })) ?? {};
    expect(arms?.map(({ variant, weight }) => [variant, weight])).toEqual([
      ['old-1', 2],
      ['old-2', 4],
      ['b', 1],
      ['a', 3],
    ]);
  });

  it('is not assigned here when others assign it, or when it has no feature', () => {
    expect(experimentIn(inForce({ runs: [run({ assignment: 'external' })] }))).toBeUndefined();
    expect(experimentIn(inForce({ runs: [run({ feature: undefined })] }))).toBeUndefined();
  });

  it('finds units of another type under the type’s name', () => {
    expect(experimentIn(inForce({ runs: [run({ unitType: 'account' })] }))?.unitAttribute).toBe('account');
  });

  it('keeps no sticky buckets while a rollout moves it', () => {
    const ramp = { rollout: 'r', run: 1, stage: 's', stageStartedAtUs: 1, policy: 'stage' } as const;
    expect(experimentIn(inForce({ runs: [run({}, { ramp })] }))?.isSticky).toBe(false);
  });

  it('is no rule while it is paused: everybody gets the default variant', () => {
    const published = inForce({ runs: [run({}, { status: 'paused', segments: [segment(), segment({ segment: 2, coverage: 0 })] })] });
    expect(answerIn(published, 'u1')).toMatchObject({ reason: 'STATIC', value: 'old' });
  });

  it('with frozen enrolment keeps every variant, in the segment that froze it, and counts nobody', () => {
    const running = inForce({ runs: [run({}, { segments: [segment({ coverage: 0.4 })] })] });
    const segments = [segment({ coverage: 0.4 }), segment({ segment: 2, coverage: 0 })];
    const frozen = inForce({ runs: [run({}, { status: 'enrolment-frozen', segments })] });
    for (let n = 0; n < 500; n += 1) expect(answerIn(frozen, `u${n}`).value).toBe(answerIn(running, `u${n}`).value);
    expect(experimentIn(frozen)).toMatchObject({ segment: 2, coverage: 0.4 });
    expect(assignmentDefinitions(frozen).counted).toEqual([expect.objectContaining({ segment: 2, isRunning: false })]);
  });

  it('of two of a feature, is asked in the order of their starts', () => {
    const runs = [run({ key: 'later' }, { startedAtUs: 9 }), run({ key: 'earlier' }, { startedAtUs: 5 })];
    expect(assignmentDefinitions(inForce({ runs })).definitions.experiments?.map(({ key }) => key)).toEqual(['earlier', 'later']);
  });
});

describe('a decision', () => {
  const decided = (outcome: 'ship' | 'stop' | 'inconclusive', arm: string | null, more: Partial<ExperimentState> = {}) =>
    run({}, { status: 'decided', closedAtUs: 5_000, decision: { outcome, arm, reason: 'because' }, ...more });

  it('to ship gives everybody the arm’s variant, also once it is archived', () => {
    for (const status of ['decided', 'archived'] as const) {
      const published = inForce({ runs: [decided('ship', 'treatment', { status })] });
      expect(featureIn(published)?.release).toEqual({ key: 'faster-checkout', variant: 'treatment' });
      expect(answerIn(published, 'u1')).toMatchObject({ reason: 'STATIC', value: 'new' });
    }
  });

  it.each(['stop', 'inconclusive'] as const)('%s gives everybody the default variant, which is the control', (outcome) => {
    const published = inForce({ runs: [decided(outcome, null)] });
    expect(featureIn(published)?.release).toBeUndefined();
    expect(answerIn(published, 'u1')).toMatchObject({ reason: 'STATIC', value: 'old' });
  });

  it('to stop gives the control back where that is not the default variant', () => {
    const published = inForce({ features: [feature({ defaultVariant: 'treatment' })], runs: [decided('stop', null)] });
    expect(answerIn(published, 'u1')).toMatchObject({ reason: 'STATIC', value: 'old' });
  });

  it('is outweighed by a newer one about the same feature', () => {
    const older = decided('ship', 'treatment');
    const newer = run(
      { key: 'second' },
      { status: 'decided', closedAtUs: 6_000, decision: { outcome: 'stop', arm: null, reason: 'worse' } },
    );
    expect(featureIn(inForce({ runs: [newer, older] }))?.release).toBeUndefined();
  });

  it('stays under an experiment that runs: only who takes no part gets the release', () => {
    const running = run({ key: 'next' }, { segments: [segment({ coverage: 0.5, seed: 'seed-2' })] });
    const published = inForce({ runs: [decided('ship', 'treatment'), running] });
    const reasons = new Set(Array.from({ length: 200 }, (_, n) => answerIn(published, `u${n}`).reason));
    expect(reasons).toEqual(new Set(['SPLIT', 'STATIC']));
  });
});

describe('what stands before experiments', () => {
  it('the kill switch gives everybody the default variant, overridden units included', () => {
    const published = inForce({ killed: new Set(['checkout']), overrides: [override()] });
    expect(answerIn(published, 'tester')).toMatchObject({ reason: 'DISABLED', value: 'old' });
  });

  it('overrides and holdouts count while they are active', () => {
    const active = inForce({ overrides: [override()], holdouts: [holdout({ share: 0.5 })] });
    expect(answerIn(active, 'tester')).toMatchObject({ reason: 'OVERRIDE', value: 'new' });
    expect(new Set(Array.from({ length: 100 }, (_, n) => answerIn(active, `u${n}`).reason))).toEqual(new Set(['HOLDOUT', 'SPLIT']));
    const ended = inForce({ overrides: [override({ isActive: false })], holdouts: [holdout({ share: 0.5, isActive: false })] });
    expect(answerIn(ended, 'tester').reason).toBe('SPLIT');
    expect(new Set(Array.from({ length: 100 }, (_, n) => answerIn(ended, `u${n}`).reason))).toEqual(new Set(['SPLIT']));
  });

  it('a layer lets an experiment have its part and nobody else’s', () => {
    const part = (key: string, from: number, to: number) =>
      run({ key, layer: { key: 'pages', ranges: [[from, to]] } }, { startedAtUs: from });
    const published = inForce({ layers: [layer()], runs: [part('first', 0, 0.5), part('second', 0.5, 1)] });
    const by = Array.from({ length: 400 }, (_, n) => answerIn(published, `u${n}`).note?.key);
    expect(new Set(by)).toEqual(new Set(['first', 'second']));
  });
});

describe('the coverage of what is published', () => {
  it('moves nobody when it rises, in 10,000 cases', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 4 });
    const share = fc.integer({ min: 1, max: 10_000 }).map((n) => n / 10_000);
    const keys = ['control', 'treatment', 'third', 'fourth'];
    const features = [feature({ variants: keys.map((key) => ({ key, value: key })) })];
    const at = (given: readonly number[], coverage: number) =>
      compileDefinitions(
        assignmentDefinitions(
          inForce({
            features,
            runs: [run({ variants: given.map((weight, n) => ({ key: keys[n] ?? '', weight })) }, { segments: [segment({ coverage })] })],
          }),
        ).definitions,
      );
    fc.assert(
      fc.property(weights, share, share, fc.array(fc.uuid(), { minLength: 25, maxLength: 25 }), (given, one, other, ids) => {
        const [low, high] = [at(given, Math.min(one, other)), at(given, Math.max(one, other))];
        return ids.every((id) => {
          const before = evaluate(low, 'checkout', unitOf({ attributes: { id } }));
          const after = evaluate(high, 'checkout', unitOf({ attributes: { id } }));
          return before.reason !== 'SPLIT' || after.variant === before.variant;
        });
      }),
      { numRuns: 400 },
    );
  });
});
