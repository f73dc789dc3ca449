/** A simulated world, and the methods that watch it: each is asked at every look until its first alarm. */
import type { Random } from './random.js';

/**
 * What a line of the table states about the share of runs with an alarm:
 * `at-most` the level (a valid method), `above` it (a wrong method, which the simulation must be able to tell),
 * `about` the level within a tolerance or `at-least` the level (power against the planner), `never`, or just `shown`.
 */
export type Claim =
  | { readonly kind: 'at-most' | 'above'; readonly level: number }
  | { readonly kind: 'about'; readonly level: number; readonly tolerance: number }
  | { readonly kind: 'at-least'; readonly level: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'shown' };

export const atMost = (level: number): Claim => ({ kind: 'at-most', level });
export const above = (level: number): Claim => ({ kind: 'above', level });
export const about = (level: number, tolerance: number): Claim => ({ kind: 'about', level, tolerance });
export const atLeast = (level: number): Claim => ({ kind: 'at-least', level });
export const never: Claim = { kind: 'never' };
export const shown: Claim = { kind: 'shown' };

/** State of the world at one look; `units` is what has been seen by then. */
export interface Look {
  readonly units: number;
}

export interface Line<At extends Look> {
  readonly method: string;
  readonly claim: Claim;
  /** @param look  counts from 0 */
  readonly alarms: (at: At, look: number) => boolean;
}

export interface World<At extends Look> {
  readonly name: string;
  readonly title: string;
  readonly looks: number;
  readonly runs: { readonly default: number; readonly long: number };
  /** Rough cost, for the forecast of the remaining time only. */
  readonly msPerRun: number;
  /** One run, look by look; the same object may be yielded again. */
  readonly unfold: (random: Random) => Iterable<At>;
  readonly lines: readonly Line<At>[];
}

/** Units at the first alarm of each line; null = never. */
export type Stops = readonly (number | null)[];

export interface Scenario extends Omit<World<Look>, 'unfold' | 'lines'> {
  readonly lines: readonly Pick<Line<Look>, 'method' | 'claim'>[];
  readonly run: (random: Random) => Stops;
}

export const scenario = <At extends Look>(world: World<At>): Scenario => {
  const { unfold, lines, ...about } = world;
  return { ...about, lines, run: (random) => firstAlarms(unfold(random), lines) };
};

const firstAlarms = <At extends Look>(looks: Iterable<At>, lines: readonly Line<At>[]): Stops => {
  const stops = new Array<number | null>(lines.length).fill(null);
  let open = lines.map((_, index) => index);
  let look = 0;
  for (const at of looks) {
    for (const index of open) if (lines[index]?.alarms(at, look) === true) stops[index] = at.units;
    open = open.filter((index) => stops[index] === null);
    if (open.length === 0) break;
    look += 1;
  }
  return stops;
};
