/** One effect as it is shown: on the scale of its margin, with the interval that may be looked at often where there is one. */
import type { Comparison, Effect, MetricResult, MetricUse } from '@rampart/contracts';
import { marginLine, type Scale, scaleOf } from './course.js';

export interface EffectRow {
  readonly scale: Scale;
  readonly estimate: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly p: number | null;
  readonly adjustedP: number | null;
  readonly margin: number | null;
  /** Which side of zero the whole interval is on, in terms of good and bad. */
  readonly verdictSide: 'better' | 'worse' | 'open';
  readonly refused: string | null;
}

const REFUSALS: Readonly<Record<string, string>> = {
  NOT_ENOUGH_DATA: 'not enough units yet',
  CAPS_NOT_FIXED: 'caps not fixed yet',
  'burn-in': 'burn-in',
};

type Anytime = NonNullable<Comparison['anytime']>;

/** What a row is made of: a comparison, or as much of it as is told without caps. */
interface Compared extends Pick<Comparison, 'absolute' | 'relative'> {
  readonly anytime: (Pick<Anytime, 'absolute' | 'relative'> & Partial<Pick<Anytime, 'firstError'>>) | null;
  readonly adjustedP?: number | null;
}

export const effectRow = (metric: MetricResult, comparison: Compared, use: MetricUse | undefined): EffectRow => {
  const scale = scaleFor(metric, comparison, use);
  const effect: Effect = comparison[scale];
  const anytime = comparison.anytime?.[scale];
  const bounds = boundsOf(effect, anytime);
  const margin = scaleOf(use) === scale ? marginLine(use, metric.direction) : null;
  const firstError = comparison.anytime?.firstError ?? null;
  return {
    scale,
    estimate: 'refused' in effect ? null : effect.estimate,
    ...bounds,
    p: firstError?.p ?? (anytime === undefined ? ('refused' in effect ? null : effect.p) : 'refused' in anytime ? null : anytime.p),
    adjustedP: comparison.adjustedP ?? null,
    margin,
    verdictSide: sideOf(bounds, metric.direction),
    refused: 'refused' in effect ? refusal(effect) : null,
  };
};

/** Of few or no events in the control there is no relative effect, or one without bounds, but there may be a difference. A margin stays on its own scale. */
const scaleFor = ({ direction }: MetricResult, { absolute, relative, anytime }: Compared, use: MetricUse | undefined): Scale => {
  if (scaleOf(use) === 'absolute' || 'refused' in relative) return 'absolute';
  const hasBounds = (scale: Scale) => anytime === null || !('refused' in anytime[scale]);
  return !hasBounds('relative') && hasBounds('absolute') && !('refused' in absolute) && marginLine(use, direction) === null
    ? 'absolute'
    : 'relative';
};

/** The same treatment's effect without the metric's caps; undefined where it has none, or they cut nobody. */
export const uncappedRow = (
  metric: MetricResult,
  { treatment, control }: Comparison,
  use: MetricUse | undefined,
): EffectRow | undefined => {
  if (capsCut(metric).every(({ share }) => share === 0)) return undefined;
  const found = metric.withoutCaps?.comparisons.find((one) => one.treatment === treatment && one.control === control);
  return found === undefined ? undefined : effectRow(metric, found, use);
};

/** Which share of each arm's units a metric's caps change; empty where it has none. */
export const capsCut = ({ withoutCaps }: MetricResult): readonly { readonly arm: string; readonly share: number }[] =>
  (withoutCaps?.arms ?? []).map(({ arm, units, lowered, raised }) => ({ arm, share: units === 0 ? 0 : (lowered + raised) / units }));

const refusal = ({ refused, have, needed }: Extract<Effect, { refused: string }>): string => {
  const said = REFUSALS[refused] ?? refused.toLowerCase().replaceAll('_', ' ');
  return have === undefined || needed === undefined ? said : `${said}: ${have} of ${needed}`;
};

const boundsOf = (effect: Effect, anytime: Anytime['absolute'] | undefined) => {
  if (anytime !== undefined) return 'refused' in anytime ? { lower: null, upper: null } : { lower: anytime.lower, upper: anytime.upper };
  return 'refused' in effect ? { lower: null, upper: null } : effect.ci;
};

const sideOf = ({ lower, upper }: { readonly lower: number | null; readonly upper: number | null }, direction: 'increase' | 'decrease') => {
  const isAbove = lower !== null && lower > 0;
  const isBelow = upper !== null && upper < 0;
  if (!isAbove && !isBelow) return 'open';
  return isAbove === (direction === 'increase') ? 'better' : 'worse';
};
