/** When a fixed-horizon plan has its one look, and what a comparison waits for until then. */

export interface Schedule {
  /** History from elsewhere: one look as soon as it is complete, no minimum run. */
  readonly historical: boolean;
  readonly importing: boolean;
  readonly startedAtUs: number | null;
  readonly minimumRunUs: number;
  readonly plannedEndUs: number | null;
  readonly closedAtUs: number | null;
  /** Everything known up to here is counted; null while the watermark is undefined. */
  readonly knownUntilUs: number | null;
}

export interface Wait {
  readonly what: 'import' | 'start' | 'watermark' | 'minimum-run' | 'planned-end' | 'a-planned-end';
  readonly untilUs: number | null;
}

export interface PlanState {
  /** Tests may be judged only when nothing is waited for: a fixed horizon has one look. */
  readonly waits: readonly Wait[];
  /** Nothing more will come: without an answer by now the plan is over. */
  readonly exhausted: boolean;
  readonly minimumRunOver: boolean;
  /** The moment as of which the one look is taken, once it is due; null = as of everything known. */
  readonly lookAtUs: number | null;
}

export const planState = (schedule: Schedule): PlanState => {
  if (schedule.historical) {
    const waits: readonly Wait[] = schedule.importing ? [{ what: 'import', untilUs: null }] : [];
    return { waits, exhausted: !schedule.importing, minimumRunOver: true, lookAtUs: null };
  }
  const { startedAtUs, knownUntilUs, closedAtUs } = schedule;
  if (startedAtUs === null) return waitingFor({ what: 'start', untilUs: null });
  if (knownUntilUs === null) return waitingFor({ what: 'watermark', untilUs: null });
  const minimumEndUs = startedAtUs + schedule.minimumRunUs;
  // A person closed it: that is the look, however early; a run that was too short can't ship.
  if (closedAtUs !== null && closedAtUs <= knownUntilUs)
    return { waits: [], exhausted: true, minimumRunOver: closedAtUs >= minimumEndUs, lookAtUs: closedAtUs };
  return untilPlannedEnd(schedule.plannedEndUs, minimumEndUs, knownUntilUs);
};

const untilPlannedEnd = (plannedEndUs: number | null, minimumEndUs: number, knownUntilUs: number): PlanState => {
  const minimumRunOver = knownUntilUs >= minimumEndUs;
  const waits: Wait[] = minimumRunOver ? [] : [{ what: 'minimum-run', untilUs: minimumEndUs }];
  if (plannedEndUs === null) waits.push({ what: 'a-planned-end', untilUs: null });
  else if (knownUntilUs < plannedEndUs) waits.push({ what: 'planned-end', untilUs: plannedEndUs });
  if (plannedEndUs === null || waits.length > 0) return { waits, exhausted: false, minimumRunOver, lookAtUs: null };
  return { waits, exhausted: true, minimumRunOver, lookAtUs: Math.max(plannedEndUs, minimumEndUs) };
};

const waitingFor = (wait: Wait): PlanState => ({ waits: [wait], exhausted: false, minimumRunOver: false, lookAtUs: null });

export const waitSentence = ({ what, untilUs }: Wait): string => {
  const until = untilUs === null ? '' : ` until ${new Date(untilUs / 1000).toISOString()}`;
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
  }
};
