/** How far a plan is: whether its tests may be judged, what a comparison waits for, and when nothing more will come. */
import { count, instant } from './number-texts.js';
import type { LookSchedule, TakenLook } from './planned-looks.js';

export type PlanMethod = 'sequential' | 'group-sequential' | 'msprt' | 'bayesian' | 'fixed-horizon';

/** Harm and quality are watched from the first unit on, by tests that hold at every look. */
export const isWatched = (method: PlanMethod): boolean => method !== 'fixed-horizon';

export interface Schedule {
  /** History from elsewhere: one look as soon as it is complete, no minimum run, whatever the method. */
  readonly historical: boolean;
  readonly importing: boolean;
  readonly method: PlanMethod;
  readonly startedAtUs: number | null;
  readonly minimumRunUs: number;
  readonly plannedEndUs: number | null;
  readonly closedAtUs: number | null;
  /** Everything known up to here is counted; null while the watermark is undefined. */
  readonly knownUntilUs: number | null;
}

export interface Wait {
  readonly what: 'import' | 'start' | 'watermark' | 'minimum-run' | 'planned-end' | 'a-planned-end' | 'evidence' | 'planned-look';
  readonly untilUs: number | null;
  /** Units of the largest pair, and the most that are planned, or those that the next look waits for. */
  readonly have?: number;
  readonly needed?: number | null;
  /** Planned look only: which of how many. */
  readonly look?: number;
  readonly looks?: number;
}

export interface PlanState {
  /** In force: history has a fixed horizon whatever its plan says. */
  readonly method: PlanMethod;
  /** Whether tests may be judged: from the first look on in a watched plan, at the one look of a fixed horizon. */
  readonly isDue: boolean;
  readonly waits: readonly Wait[];
  /** Nothing more will come: without an answer by now the plan is over. */
  readonly exhausted: boolean;
  readonly minimumRunOver: boolean;
  /** The moment as of which the last look is taken, once it is due; null = as of everything known. */
  readonly lookAtUs: number | null;
}

export const planState = (schedule: Schedule): PlanState => {
  const method = schedule.historical ? 'fixed-horizon' : schedule.method;
  if (schedule.historical) {
    const waits: readonly Wait[] = schedule.importing ? [{ what: 'import', untilUs: null }] : [];
    return { method, isDue: !schedule.importing, waits, exhausted: !schedule.importing, minimumRunOver: true, lookAtUs: null };
  }
  const { startedAtUs, knownUntilUs, closedAtUs } = schedule;
  if (startedAtUs === null) return waitingFor(method, { what: 'start', untilUs: null });
  if (knownUntilUs === null) return waitingFor(method, { what: 'watermark', untilUs: null });
  const minimumEndUs = startedAtUs + schedule.minimumRunUs;
  // A person closed it: that is the look, however early; a run that was too short can't ship.
  if (closedAtUs !== null && closedAtUs <= knownUntilUs)
    return { method, isDue: true, waits: [], exhausted: true, minimumRunOver: closedAtUs >= minimumEndUs, lookAtUs: closedAtUs };
  return isWatched(method)
    ? untilEnoughEvidence(method, { ...schedule, minimumEndUs, knownUntilUs })
    : untilPlannedEnd(schedule.plannedEndUs, minimumEndUs, knownUntilUs);
};

const untilPlannedEnd = (plannedEndUs: number | null, minimumEndUs: number, knownUntilUs: number): PlanState => {
  const method = 'fixed-horizon';
  const minimumRunOver = knownUntilUs >= minimumEndUs;
  const waits: Wait[] = minimumRunOver ? [] : [{ what: 'minimum-run', untilUs: minimumEndUs }];
  if (plannedEndUs === null) waits.push({ what: 'a-planned-end', untilUs: null });
  else if (knownUntilUs < plannedEndUs) waits.push({ what: 'planned-end', untilUs: plannedEndUs });
  if (plannedEndUs === null || waits.length > 0) return { method, isDue: false, waits, exhausted: false, minimumRunOver, lookAtUs: null };
  return { method, isDue: true, waits, exhausted: true, minimumRunOver, lookAtUs: Math.max(plannedEndUs, minimumEndUs) };
};

/** Looked at as often as anybody likes: what is waited for takes nothing from what is shown already. */
const untilEnoughEvidence = (
  method: PlanMethod,
  { plannedEndUs, minimumEndUs, knownUntilUs }: Pick<Schedule, 'plannedEndUs'> & { minimumEndUs: number; knownUntilUs: number },
): PlanState => {
  const minimumRunOver = knownUntilUs >= minimumEndUs;
  const exhausted = minimumRunOver && plannedEndUs !== null && knownUntilUs >= plannedEndUs;
  const waits: Wait[] = minimumRunOver ? [] : [{ what: 'minimum-run', untilUs: minimumEndUs }];
  if (!exhausted) waits.push({ what: 'evidence', untilUs: plannedEndUs });
  return { method, isDue: true, waits, exhausted, minimumRunOver, lookAtUs: null };
};

const waitingFor = (method: PlanMethod, wait: Wait): PlanState => ({
  method,
  isDue: false,
  waits: [wait],
  exhausted: false,
  minimumRunOver: false,
  lookAtUs: null,
});

/**
 * What is counted says about a watched plan: it is over when the planned units are in, though never before its minimum run.
 * @param units  closed, of control and the largest treatment; @param planned  null where the plan names none
 */
export const withUnits = (plan: PlanState, units: number, planned: number | null): PlanState => {
  // Its looks end it.
  if (plan.method === 'group-sequential') return plan;
  if (!isWatched(plan.method) || !plan.isDue || plan.exhausted) return plan;
  const exhausted = plan.minimumRunOver && planned !== null && units >= planned;
  const counted = (wait: Wait): Wait => (wait.what === 'evidence' ? { ...wait, have: units, needed: planned } : wait);
  return { ...plan, exhausted, waits: exhausted ? [] : plan.waits.map(counted) };
};

/** A plan of several looks is over with its last one, though never before its minimum run; what was shown at a look waits for nothing more. */
export const withLooks = (plan: PlanState, schedule: LookSchedule, taken: readonly TakenLook[], units: number): PlanState => {
  if (plan.method !== 'group-sequential' || !plan.isDue || plan.exhausted) return plan;
  const looks = schedule.looks.length;
  const next = taken.at(-1)?.look ?? 0;
  const exhausted = plan.minimumRunOver && next >= looks;
  const planned = schedule.looks[next];
  const waits = plan.waits.flatMap((wait): Wait[] => {
    if (wait.what !== 'evidence') return [wait];
    if (planned === undefined) return [];
    const counted = planned.units === null ? {} : { have: units, needed: planned.units };
    return [{ what: 'planned-look', untilUs: planned.atUs, look: next + 1, looks, ...counted }];
  });
  return { ...plan, exhausted, waits };
};

export const waitSentence = (wait: Wait): string => {
  const { what, untilUs } = wait;
  const until = untilUs === null ? '' : ` until ${instant(untilUs)}`;
  switch (what) {
    case 'import':
      return 'waits for the import to be completed: its last event must be import.completed.v1';
    case 'start':
      return 'waits for the experiment to start in this environment';
    case 'watermark':
      return 'waits for the watermark: a partition of the log has no message yet';
    case 'minimum-run':
      return `waits for the minimum run${until}`;
    case 'planned-end':
      return `waits for the planned end${until}: a fixed horizon has one look, then`;
    case 'a-planned-end':
      return 'waits for a planned end: the plan names none, set plan.plannedEndUs or close the experiment';
    case 'evidence':
      return `waits for evidence${evidenceEnd(wait)}`;
    case 'planned-look': {
      const { look, looks, have = 0, needed } = wait;
      const at = needed == null ? until : ` at ${count(needed)} units of the largest pair, ${count(have)} so far`;
      return `waits for look ${look} of ${looks}${at}`;
    }
  }
};

const evidenceEnd = ({ untilUs, have = 0, needed = null }: Wait): string => {
  const end = untilUs === null ? [] : [instant(untilUs)];
  const units = needed === null ? [] : [`${count(needed)} units of the largest pair`];
  const ends = [...end, ...units];
  if (ends.length === 0) return `, ${count(have)} units of the largest pair so far: the plan names neither an end nor planned units`;
  return ` until ${ends.join(' or ')}, ${count(have)} so far`;
};
