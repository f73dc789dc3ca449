import { describe, expect, it } from '@jest/globals';
import { experimentDefinition, featureInput, metricDefinition, rolloutInput } from '@rampart/contracts';
import { randomOf } from '../traffic/generation/random.js';
import { experiments, FEATURES, type FeatureKey, features, metrics, rollouts } from './shop.js';
import { deedsUpon } from './visitor.js';

const VISITORS = 20_000;

const shareWho = (feature: FeatureKey, isOn: boolean, name: string): number => {
  let doers = 0;
  for (let index = 0; index < VISITORS; index++) {
    const deeds = deedsUpon[feature](isOn, randomOf(1, index, isOn ? 1 : 2));
    if (deeds.some((deed) => deed.name === name)) doers++;
  }
  return doers / VISITORS;
};

describe('the shop', () => {
  it('defines what the platform takes', () => {
    const parsed = [
      ...metrics.map((one) => metricDefinition.safeParse(one)),
      ...features.map((one) => featureInput.safeParse(one)),
      ...experiments.map((one) => experimentDefinition.safeParse(one)),
      ...rollouts.map((one) => rolloutInput.safeParse(one)),
    ];
    expect(parsed.filter(({ success }) => !success)).toEqual([]);
    expect(parsed).toHaveLength(metrics.length + 3 * FEATURES.length);
  });
  it('measures only what its visitors do', () => {
    const done = new Set(
      FEATURES.flatMap((feature) =>
        Array.from({ length: 500 }, (_, index) => deedsUpon[feature](index % 2 === 0, randomOf(1, index, 3))).flat(),
      ).map(({ name }) => name as string),
    );
    expect(new Set(metrics.map(({ numerator }) => numerator.event))).toEqual(done);
  });
});

describe('a visitor', () => {
  it('finds more by quick search', () => {
    expect(shareWho('quick-search', false, 'item-found')).toBeCloseTo(0.4, 1);
    expect(shareWho('quick-search', true, 'item-found')).toBeGreaterThan(shareWho('quick-search', false, 'item-found') + 0.07);
  });
  it('crashes in the one-page checkout, and does not buy then', () => {
    expect(shareWho('one-page-checkout', true, 'crash')).toBeGreaterThan(10 * shareWho('one-page-checkout', false, 'crash'));
    const both = Array.from({ length: VISITORS }, (_, index) => deedsUpon['one-page-checkout'](true, randomOf(1, index, 1))).filter(
      (deeds) => new Set(deeds.map(({ name }) => name)).size > 1,
    );
    expect(both).toEqual([]);
  });
  it('does not care about the banner', () => {
    const same = Array.from({ length: 1_000 }, (_, index) => index).filter(
      (index) =>
        JSON.stringify(deedsUpon['calm-banner'](true, randomOf(1, index, 1))) !==
        JSON.stringify(deedsUpon['calm-banner'](false, randomOf(1, index, 1))),
    );
    expect(same).toEqual([]);
  });
});
