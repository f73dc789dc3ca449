/** Looks that a plan names before it starts (Lan & DeMets 1983): when each is due, what it may spend, and what it said for good. */
import { nextGroupSequentialBound, type Spending, spentAlpha } from '@rampart/statistics';
import type { Evidence } from './evidence.js';
import { recorded } from './number-texts.js';

/** A gain or a kept margin at one look; every number to 12 digits, as it is recorded. */
export interface LookTest {
  readonly test: 'superiority' | 'non-inferiority';
  readonly metric: string;
  readonly arm: string;
  /** One-sided α of all looks together. */
  readonly level: number;
  /** Of what is tested, turned so that more is better; null where there was no result. */
  readonly estimate: number | null;
  readonly se: number | null;
  readonly statistic: number | null;
  /** α used up by this look and those before it. */
  readonly spent: number;
  /** Null: nothing could be shown at this look. */
  readonly bound: number | null;
  /** A margin's: the largest loss that the bound does not exclude, on the margin's scale; null where it has no end. */
  readonly couldLose: number | null;
}

export interface TakenLook {
  /** From 1, of `looks`. */
  readonly look: number;
  readonly looks: number;
  /** The moment that was planned: what was known later is not in it, whenever it was taken. */
  readonly knownUntilUs: number;
  readonly tests: readonly LookTest[];
}

export interface LookSchedule {
  readonly spending: Spending;
  readonly looks: readonly PlannedLook[];
  readonly plannedUnits: number | null;
}

export interface PlannedLook {
  /** Of the spending clock: share of the time from the start to the last look, or of the planned units. */
  readonly share: number;
  /** Null: as of the first whole hour at which `units` are in. */
  readonly atUs: number | null;
  readonly units: number | null;
}

export const HOUR_US = 3_600_000_000;

/** @param startedAtUs  of the comparison; looks that are not after it can't be taken, and leave their share to the next */
export const lookSchedule = (
  plan: {
    readonly spending?: 'obrien-fleming' | 'pocock' | { readonly power: number } | undefined;
    readonly looks?: { readonly atUs: readonly number[] } | { readonly informationFractions: readonly number[] } | undefined;
    readonly plannedUnits?: number | undefined;
  },
  startedAtUs: number,
): LookSchedule => {
  const { spending = 'obrien-fleming', looks, plannedUnits = null } = plan;
  const about = {
    spending: typeof spending === 'string' ? { kind: spending } : ({ kind: 'power', exponent: spending.power } as const),
    plannedUnits,
  };
  if (looks === undefined) return { ...about, looks: [] };
  if ('atUs' in looks) {
    const wholeUs = (looks.atUs.at(-1) ?? startedAtUs) - startedAtUs;
    return { ...about, looks: looks.atUs.map((atUs) => ({ share: (atUs - startedAtUs) / wholeUs, atUs, units: null })) };
  }
  const units = (share: number) => Math.ceil(share * (plannedUnits ?? 0) - 1e-6);
  return { ...about, looks: looks.informationFractions.map((share) => ({ share, atUs: null, units: units(share) })) };
};

/** The number of the newest look taken; 0 before the first. */
const lastOf = (taken: readonly TakenLook[]): number => taken.at(-1)?.look ?? 0;

/** The next look that waits for a moment: undefined where none is left after `afterUs`, or looks wait for units. */
export const nextMoment = ({ looks }: LookSchedule, taken: readonly TakenLook[], afterUs: number): number | undefined =>
  looks.find(({ atUs, share }, index) => index >= lastOf(taken) && atUs !== null && share > 0 && atUs > afterUs)?.atUs ?? undefined;

/** Whether the next look waits for units, and how many. */
export const nextUnits = ({ looks }: LookSchedule, taken: readonly TakenLook[]): number | undefined =>
  looks[lastOf(taken)]?.units ?? undefined;

/** @returns the number of the look that is to be taken as of this very moment; where several are due at once, the last of them */
export const lookDue = (
  { looks }: LookSchedule,
  taken: readonly TakenLook[],
  { knownUntilUs, units }: { readonly knownUntilUs: number; readonly units: number },
): number | undefined => {
  const isDue = (look: PlannedLook) =>
    look.atUs === null ? knownUntilUs % HOUR_US === 0 && units >= (look.units ?? Number.POSITIVE_INFINITY) : look.atUs === knownUntilUs;
  const due = looks.findLastIndex((look, index) => index >= lastOf(taken) && look.share > 0 && isDue(look));
  return due < 0 ? undefined : due + 1;
};

export interface AskedAtLook extends Pick<LookTest, 'test' | 'metric' | 'arm' | 'level' | 'estimate' | 'se' | 'statistic'> {
  /** Of a margin, by the bound of this look. */
  readonly couldLose?: (bound: number) => number | null;
}

/** Bounds of the looks before stay as they were taken; what they left unspent, this one may spend. */
export const takeLook = (
  schedule: LookSchedule,
  taken: readonly TakenLook[],
  { look, knownUntilUs, asked }: { readonly look: number; readonly knownUntilUs: number; readonly asked: readonly AskedAtLook[] },
): TakenLook => ({
  look,
  looks: schedule.looks.length,
  knownUntilUs,
  tests: asked.map(({ couldLose, ...one }) => {
    const past = taken.flatMap(({ tests }) => tests.filter((before) => isSame(before, one)));
    const spentBefore = past.at(-1)?.spent ?? 0;
    const { estimate, se, statistic, level } = one;
    if (statistic === null || se === null || !(se > 0))
      return { ...one, estimate: null, se: null, statistic: null, spent: spentBefore, bound: null, couldLose: null };
    const share = schedule.looks[look - 1]?.share ?? 1;
    const { bound, spent } = nextGroupSequentialBound({
      past: past.flatMap((before) => (before.se === null ? [] : [{ information: 1 / before.se ** 2, bound: before.bound }])),
      information: 1 / recorded(se) ** 2,
      spend: spentAlpha(schedule.spending, level, share) - spentBefore,
      sides: 'upper',
    });
    const lost = bound === null ? null : (couldLose?.(bound) ?? null);
    return {
      ...one,
      estimate: estimate === null ? null : recorded(estimate),
      se: recorded(se),
      statistic: recorded(statistic),
      spent: recorded(spentBefore + spent),
      bound: bound === null ? null : recorded(bound),
      couldLose: lost === null ? null : recorded(lost),
    };
  }),
});

type Named = Pick<LookTest, 'test' | 'metric' | 'arm'>;
const isSame = (one: Named, other: Named): boolean => one.test === other.test && one.metric === other.metric && one.arm === other.arm;

/** What the newest look said of it: that stands until the next one. */
export const standingTest = (
  taken: readonly TakenLook[],
  named: Named,
): { readonly found: LookTest; readonly evidence: Evidence } | undefined => {
  const newest = taken.at(-1);
  const found = newest?.tests.find((test) => isSame(test, named));
  if (newest === undefined || found === undefined) return undefined;
  const { statistic, bound } = found;
  if (statistic === null) return { found, evidence: { kind: 'none', refused: 'NO_RESULT_AT_LOOK' } };
  return { found, evidence: { kind: 'bound', statistic, bound, look: newest.look, looks: newest.looks } };
};
