/** Which events are stored, in which version, and how older versions become the newest. Every version ever written has a file in `golden/`. */
import type {
  AllocationEvent,
  ApiKeyEvent,
  DecisionEvent,
  EnvironmentEvent,
  ExperimentEvent,
  FeatureEvent,
  MetricEvent,
  ProjectEvent,
  RolloutEvent,
  WebhookEvent,
} from '@rampart/domain';

export type RampartEvent =
  | ProjectEvent
  | EnvironmentEvent
  | ApiKeyEvent
  | MetricEvent
  | FeatureEvent
  | ExperimentEvent
  | RolloutEvent
  | AllocationEvent
  | WebhookEvent
  | DecisionEvent;

export type EventData = Readonly<Record<string, unknown>>;

/** From version x to x + 1, the first entry from 1 to 2. */
export type Upcasters = Readonly<Record<string, readonly ((data: EventData) => EventData)[]>>;

/** A new event of the domain that is missing here does not compile. To change one: add an upcaster and a golden file, keep the old ones. */
const UPCASTERS: Readonly<Record<RampartEvent['type'], readonly ((data: EventData) => EventData)[]>> = {
  ProjectCreated: [],
  ProjectRemoved: [],
  EnvironmentCreated: [],
  ApiKeyCreated: [],
  ApiKeyRotated: [],
  ApiKeyRevoked: [],
  ApiKeyLimited: [],
  MetricDefined: [],
  FeatureDefined: [],
  FeatureKilled: [],
  FeatureRestored: [],
  ExperimentDefined: [],
  ExperimentRedefined: [],
  ExperimentStarted: [],
  ExperimentPaused: [],
  ExperimentResumed: [],
  EnrolmentFrozen: [],
  // It closed when it was decided, before there were looks to close at.
  ExperimentDecided: [
    ({ decision, ...data }) => ({ ...data, decision: { ...(decision as EventData), record: null }, closedAtUs: data.atUs }),
  ],
  ExperimentArchived: [],
  ExperimentRestarted: [],
  RampMoved: [],
  RolloutDefined: [],
  RolloutRedefined: [],
  RolloutStarted: [],
  RolloutHeld: [],
  RolloutResumed: [],
  RolloutPaused: [],
  RolloutAdvanced: [],
  RolloutApproved: [],
  RolloutReleased: [],
  RolloutRolledBack: [],
  RolloutWouldHaveActed: [],
  LayerDefined: [],
  HoldoutDefined: [],
  HoldoutEnded: [],
  OverrideDefined: [],
  OverrideRemoved: [],
  WebhookDefined: [],
  WebhookRotated: [],
  WebhookRemoved: [],
  DecisionRecorded: [],
};

export const EVENT_TYPES = Object.keys(UPCASTERS) as readonly RampartEvent['type'][];

/** The version in which events of this type are written now. */
export const currentVersion = (type: string, upcasters: Upcasters = UPCASTERS): number => (upcasters[type]?.length ?? 0) + 1;

/**
 * @returns the event as the domain knows it today
 * @throws Error for a type or version that this program does not know: an older program must not read on as if nothing were there
 */
export const upcast = (type: string, version: number, data: EventData, upcasters: Upcasters = UPCASTERS): RampartEvent => {
  const steps = upcasters[type];
  if (steps === undefined) throw new Error(`stored event ${type} is unknown to this program: run a newer one`);
  if (version > steps.length + 1)
    throw new Error(`stored event ${type} has version ${version}, this program knows up to ${steps.length + 1}: run a newer one`);
  const newest = steps.slice(version - 1).reduce((older, step) => step(older), data);
  return { ...newest, type } as RampartEvent;
};
