/** When units arrive: a Poisson process of the scenario's rate, or clockwork; a changing rate is read off its integral. */
import type { Arrival, Scenario } from '../scenario/scenario.js';
import { fnv32a, randomOf } from './random.js';

interface Stretch {
  readonly beginSeconds: number;
  readonly seconds: number;
  readonly rate: number;
  /** Rate gained per second. */
  readonly slope: number;
  /** Units expected before it, and in it. */
  readonly before: number;
  readonly units: number;
}

/** Seconds after the start, rising. @returns an endless list where the scenario names no end */
export function* arrivalSeconds({
  arrival,
  units = Number.POSITIVE_INFINITY,
  seconds = Number.POSITIVE_INFINITY,
  seed,
}: Scenario): Generator<number> {
  const random = randomOf(seed, 0, fnv32a('arrivals'));
  const stretches = stretchesOf(arrival);
  let place = 0;
  let expected = 0;
  for (let unit = 0; unit < units; unit++) {
    expected += arrival.pattern === 'even' ? (unit === 0 ? 0.5 : 1) : random.exponential();
    let stretch = stretches[place];
    while (stretch !== undefined && expected > stretch.before + stretch.units) stretch = stretches[++place];
    if (stretch === undefined) return;
    const at = stretch.beginSeconds + secondsUntil(expected - stretch.before, stretch);
    if (at > seconds) return;
    yield at;
  }
}

/** @returns seconds until nobody arrives any more, as expected; Infinity where the scenario names no end */
export const expectedSeconds = ({ arrival, units = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY }: Scenario): number => {
  const stretches = stretchesOf(arrival);
  const last = stretches.find(({ before, units: within }) => before + within >= units);
  const phases = stretches.reduce((sum, stretch) => sum + stretch.seconds, 0);
  return Math.min(seconds, last === undefined ? phases : last.beginSeconds + secondsUntil(units - last.before, last));
};

const stretchesOf = ({ perSecond, phases }: Arrival): readonly Stretch[] => {
  const written = phases ?? [{ seconds: Number.POSITIVE_INFINITY, perSecond: perSecond ?? 0 }];
  let beginSeconds = 0;
  let before = 0;
  return written.map(({ seconds, perSecond: rate, toPerSecond = rate }) => {
    const units = toPerSecond === rate ? (rate === 0 ? 0 : rate * seconds) : ((rate + toPerSecond) / 2) * seconds;
    const stretch = { beginSeconds, seconds, rate, slope: toPerSecond === rate ? 0 : (toPerSecond - rate) / seconds, before, units };
    beginSeconds += seconds;
    before += units;
    return stretch;
  });
};

/** Solves rate · t + slope · t² / 2 = units; this form of the root loses no digits where the slope is small. */
const secondsUntil = (units: number, { rate, slope }: Stretch): number =>
  slope === 0 ? units / rate : (2 * units) / (rate + Math.sqrt(Math.max(0, rate * rate + 2 * slope * units)));
