/** The moments of a time series: round ones in a step that people read easily, and the newest as the last. */
import type { InstantUs } from '@rampart/contracts';

const SECOND = 1_000_000;
const STEPS_US = [1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800].map((seconds) => seconds * SECOND);

/** @returns at most `most` + 1 moments in (from, until], the last one being `until` */
export const momentsBetween = (fromUs: InstantUs, untilUs: InstantUs, most: number): readonly InstantUs[] => {
  if (untilUs <= fromUs) return [untilUs];
  const least = (untilUs - fromUs) / most;
  const week = STEPS_US.at(-1) ?? SECOND;
  // Beyond the list: whole weeks.
  const step = STEPS_US.find((candidate) => candidate >= least) ?? Math.ceil(least / week) * week;
  const moments: InstantUs[] = [];
  for (let at = (Math.floor(fromUs / step) + 1) * step; at < untilUs; at += step) moments.push(at);
  return [...moments, untilUs];
};
