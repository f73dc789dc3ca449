/** What is published, as rules of who gets what: experiments with their state become segments of assignment, decisions become releases. */
import type { ExperimentDefinition as AssignedExperiment, FeatureDefinition as AssignedFeature, Definitions } from '@rampart/assignment';
import type {
  ExperimentDefinition,
  ExperimentState,
  FeatureDefinition,
  HoldoutDefinition,
  LayerDefinition,
  OverrideDefinition,
  Segment,
} from '@rampart/contracts';

export interface ExperimentRun {
  readonly definition: ExperimentDefinition;
  readonly state: ExperimentState;
  /** When its newest state became known: the newest decision of a feature wins. */
  readonly changedAtUs: number;
}

/** What is in force in one environment. */
export interface PublishedEnvironment {
  readonly features: readonly FeatureDefinition[];
  /** Features whose kill switch is on here. */
  readonly killed: ReadonlySet<string>;
  readonly runs: readonly ExperimentRun[];
  readonly layers: readonly LayerDefinition[];
  readonly holdouts: readonly HoldoutDefinition[];
  readonly overrides: readonly OverrideDefinition[];
}

/** An experiment as exposures need it. */
export interface CountedExperiment {
  readonly key: string;
  readonly feature: string;
  readonly segment: number;
  readonly unitType: string;
  readonly unitAttribute: string;
  /** It assigns now: whoever an override or a holdout takes away from it is told to it. */
  readonly isRunning: boolean;
}

export interface AssignmentDefinitions {
  readonly definitions: Definitions;
  readonly counted: readonly CountedExperiment[];
}

/** The unit type of people is what every SDK calls its id; any other is looked up under its own name. */
export const attributeOf = (unitType: string): string => (unitType === 'user' ? 'id' : unitType);

type Assigning = ExperimentRun & { readonly feature: string };

const isAssigning = (run: ExperimentRun): run is Assigning & { definition: { feature: string } } =>
  run.definition.assignment === 'rampart' && run.definition.feature !== undefined;

/** The segment whose coverage is served, and the one that is in force; undefined where nobody is assigned. */
const servedSegment = ({ status, segments }: ExperimentState): { readonly served: Segment; readonly inForce: Segment } | undefined => {
  const inForce = segments.at(-1);
  if (inForce === undefined) return undefined;
  if (status === 'running') return { served: inForce, inForce };
  // Frozen: whoever is in keeps the variant, so the ranges stay those of before; who is in is not known here, who may be is.
  const served = segments.findLast(({ coverage, comparison }) => coverage > 0 && comparison === inForce.comparison);
  return status === 'enrolment-frozen' && served !== undefined ? { served, inForce } : undefined;
};

/** The control's variants first: with the order the ranges would change, and every unit its arm. */
const armsOf = ({ control, variants }: ExperimentDefinition) => {
  const ordered = [
    ...variants.filter((one) => (one.arm ?? one.key) === control),
    ...variants.filter((one) => (one.arm ?? one.key) !== control),
  ];
  return ordered.map(({ key, weight }) => ({ variant: key, weight: weight ?? 1 }));
};

const experimentOf = ({ definition, state }: ExperimentRun): AssignedExperiment | undefined => {
  const segments = servedSegment(state);
  if (segments === undefined || definition.feature === undefined) return undefined;
  const { served, inForce } = segments;
  const { feature, key, layer, targeting, unitType } = definition;
  return {
    key,
    feature,
    version: state.version,
    segment: inForce.segment,
    seed: served.seed,
    arms: armsOf(definition),
    coverage: served.coverage,
    unitAttribute: attributeOf(unitType),
    // A comparison of its own has a seed of its own: SDKs forget what they kept for the one before.
    bucketVersion: inForce.comparison,
    // Ranges of a ramp grow: a kept assignment would hold units back.
    isSticky: state.ramp === undefined,
    ...(targeting === undefined ? {} : { targeting }),
    ...(layer === undefined ? {} : { layer }),
  };
};

const variantOfArm = ({ variants }: ExperimentDefinition, arm: string): string | undefined =>
  variants.find((one) => (one.arm ?? one.key) === arm)?.key;

/** What the newest decision about a feature leaves to everybody: the variant that was shipped, or the control. */
const releaseOf = (feature: FeatureDefinition, runs: readonly ExperimentRun[]): AssignedFeature['release'] => {
  const decided = runs.filter(({ definition, state }) => definition.feature === feature.key && state.decision !== undefined);
  const [newest] = decided.sort((a, b) => decidedAtUs(b) - decidedAtUs(a));
  if (newest === undefined) return undefined;
  const { definition, state } = newest;
  const isShipped = state.decision?.outcome === 'ship' && state.decision.arm !== null;
  const variant = variantOfArm(definition, isShipped ? (state.decision?.arm ?? '') : definition.control);
  // The default variant is everybody's without any rule.
  if (variant === undefined || (!isShipped && variant === feature.defaultVariant)) return undefined;
  return { key: definition.key, variant };
};

/** Archiving changes the state and decides nothing. */
const decidedAtUs = ({ changedAtUs, state }: ExperimentRun): number => state.closedAtUs ?? changedAtUs;

/** Who came first keeps its part of a layer, and is asked first where a feature has several. */
const byStart = (a: ExperimentRun, b: ExperimentRun): number =>
  (a.state.startedAtUs ?? 0) - (b.state.startedAtUs ?? 0) || (a.definition.key < b.definition.key ? -1 : 1);

export const assignmentDefinitions = (published: PublishedEnvironment): AssignmentDefinitions => {
  const assigning = published.runs.filter(isAssigning).sort(byStart);
  const experiments = assigning.flatMap((run) => experimentOf(run) ?? []);
  return {
    definitions: {
      features: published.features.map((feature): AssignedFeature => {
        const { defaultVariant, key, variants } = feature;
        const release = releaseOf(feature, assigning);
        return { key, variants, defaultVariant, isEnabled: !published.killed.has(key), ...(release === undefined ? {} : { release }) };
      }),
      experiments,
      layers: published.layers.map(({ key, seed, unitType }) => ({ key, seed, unitAttribute: attributeOf(unitType) })),
      holdouts: published.holdouts
        .filter(({ isActive }) => isActive)
        .map(({ key, seed, share, unitType, features }) => ({
          ...{ key, seed, share, unitAttribute: attributeOf(unitType) },
          ...(features === undefined ? {} : { features }),
        })),
      overrides: published.overrides
        .filter(({ isActive }) => isActive)
        .map(({ key, feature, variant, unitType, units, condition }) => ({
          ...{ key, feature, variant, unitAttribute: attributeOf(unitType) },
          ...(units === undefined ? {} : { units }),
          ...(condition === undefined ? {} : { condition }),
        })),
    },
    counted: assigning.map(({ definition, state }) => ({
      key: definition.key,
      feature: definition.feature,
      segment: state.segments.at(-1)?.segment ?? 0,
      unitType: definition.unitType,
      unitAttribute: attributeOf(definition.unitType),
      isRunning: state.status === 'running',
    })),
  };
};
