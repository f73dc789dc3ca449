/** What a visitor of the shop does, given what the features are like for them: pure. Nothing here knows which variant is being tested. */
import type { Random } from '../traffic/generation/random.js';
import type { FeatureKey } from './shop.js';

export interface Deed {
  /** Of the shop's services: the one that sees it. */
  readonly service: 'search' | 'storefront' | 'checkout';
  readonly name: 'item-found' | 'banner-clicked' | 'purchase' | 'crash';
  readonly value?: number;
  /** After the feature was met. */
  readonly afterMs: number;
}

export type Deeds = (isOn: boolean, random: Random) => readonly Deed[];

const FOUND = { before: 0.4, after: 0.5 };
const CLICKED = 0.12;
const BOUGHT = 0.2;
const CRASHED = { before: 0.004, after: 0.12 };
const MEAN_PRICE = 60;

const search: Deeds = (isOn, random) =>
  random.isTrue(isOn ? FOUND.after : FOUND.before) ? [{ service: 'search', name: 'item-found', afterMs: soon(random) }] : [];

/** The banner is as good as the old one: nothing to be found, however long one looks. */
const banner: Deeds = (_isOn, random) =>
  random.isTrue(CLICKED) ? [{ service: 'storefront', name: 'banner-clicked', afterMs: soon(random) }] : [];

/** Whoever crashes tries again a few times, crashes again, and doesn't buy. */
const checkout: Deeds = (isOn, random) => {
  if (random.isTrue(isOn ? CRASHED.after : CRASHED.before)) {
    const times = 1 + Math.floor(random.uniform() * 4);
    return Array.from({ length: times }, (_, index) => ({ service: 'checkout', name: 'crash', afterMs: 200 + index * 400 }));
  }
  if (!random.isTrue(BOUGHT)) return [];
  const value = Math.round(MEAN_PRICE * random.exponential() * 100) / 100;
  return [{ service: 'checkout', name: 'purchase', value, afterMs: soon(random) }];
};

/** Well within the metrics' window. */
const soon = (random: Random): number => 200 + Math.round(random.uniform() * 2_000);

export const deedsUpon: Readonly<Record<FeatureKey, Deeds>> = {
  'quick-search': search,
  'calm-banner': banner,
  'one-page-checkout': checkout,
};
