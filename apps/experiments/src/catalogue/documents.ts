/** How each resource looks to readers: the state of its decider as a document. Times are ISO 8601. */
import { type ExperimentState, formatInstant, type LookMessage } from '@rampart/contracts';
import {
  type Allocation,
  type ApiKey,
  comparisonStartUs,
  type Environment,
  type Experiment,
  type Feature,
  type Metric,
  type Project,
  type Rollout,
  type Run,
  type Webhook,
} from '@rampart/domain';

/** Empty for what does not exist: who asks decides what that means. */
type Document = Readonly<Record<string, unknown>>;

export const projectDocument = (state: Project, revision: number): Document =>
  state.status === 'absent'
    ? {}
    : {
        ...{ key: state.project, name: state.name, revision, createdAt: formatInstant(state.createdAtUs) },
        ...(state.status === 'removed' ? { removedAt: formatInstant(state.removedAtUs) } : {}),
      };

export const environmentDocument = (state: Environment, revision: number): Document =>
  state.status === 'absent'
    ? {}
    : { key: state.environment, project: state.project, kind: state.kind, revision, createdAt: formatInstant(state.createdAtUs) };

/** Without the hash: it is nobody's business. */
export const keyDocument = (state: ApiKey, revision: number): Document => {
  if (state.status === 'absent') return {};
  const { id, name, role, project, environment, createdAtUs, rotatedAtUs, previous, expiresAtUs, quota } = state;
  return {
    id,
    name,
    role,
    project,
    environment,
    revoked: state.status === 'revoked',
    revision,
    createdAt: formatInstant(createdAtUs),
    rotatedAt: rotatedAtUs === null ? null : formatInstant(rotatedAtUs),
    previousUntil: previous === null ? null : formatInstant(previous.untilUs),
    expiresAt: expiresAtUs === null ? null : formatInstant(expiresAtUs),
    quota,
    revokedAt: state.status === 'revoked' ? formatInstant(state.revokedAtUs) : null,
  };
};

/** Of a metric or a feature: the newest version, unless another is asked for. */
const versioned = ({ versions }: Metric | Feature, revision: number, version?: number): Document => {
  const found = version === undefined ? versions.at(-1) : versions.find((candidate) => candidate.version === version);
  if (found === undefined) return {};
  const { definition, definedAtUs } = found;
  return { key: definition.key, version: found.version, revision, definedAt: formatInstant(definedAtUs), definition };
};

export const metricDocument = (state: Metric, revision: number, version?: number): Document => versioned(state, revision, version);
/** With its kill switch, in each environment where it was ever used. */
export const featureDocument = (state: Feature, revision: number, version?: number): Document => {
  const document = versioned(state, revision, version);
  if (Object.keys(document).length === 0) return document;
  const environments = Object.entries(state.switches).map(([environment, { isKilled }]) => [environment, { isKilled }] as const);
  return { ...document, environments: Object.fromEntries(environments) };
};

export const allocationDocument = (state: Allocation, revision: number): Document =>
  state.kind === 'absent'
    ? {}
    : {
        ...state.definition,
        ...(state.kind === 'override' ? { environment: state.environment } : {}),
        ...(state.kind === 'layer' ? {} : { isActive: state.isActive }),
        revision,
      };

/** Without its secret, which is shown once. */
export const webhookDocument = (state: Webhook, revision: number): Document =>
  state.status === 'absent' ? {} : { ...state.definition, isActive: state.status === 'active', revision };

export const experimentDocument = ({ versions, runs }: Experiment, revision: number, version?: number): Document => {
  const found = version === undefined ? versions.at(-1) : versions.find((candidate) => candidate.version === version);
  if (found === undefined) return {};
  const { definition, definedAtUs } = found;
  const environments = Object.entries(runs).map(([environment, run]) => [environment, runDocument(definition.key, run)] as const);
  return {
    key: definition.key,
    version: found.version,
    revision,
    definedAt: formatInstant(definedAtUs),
    definition,
    environments: Object.fromEntries(environments),
  };
};

/** As it is published. */
export const experimentState = (experiment: string, run: Run): ExperimentState => ({
  experiment,
  version: run.version,
  status: run.status,
  segments: run.segments,
  startedAtUs: comparisonStartUs(run),
  closedAtUs: 'closedAtUs' in run ? run.closedAtUs : null,
  metricVersions: run.metricVersions,
  ...(run.ramp === undefined ? {} : { ramp: run.ramp }),
  ...(run.planInForce === undefined ? {} : { planInForce: run.planInForce }),
  ...('decision' in run ? { decision: run.decision } : {}),
});

const runDocument = (experiment: string, run: Run): Document => ({ ...experimentState(experiment, run), revision: run.revision });

/** What is stored of a rollout; what it waits for depends on the moment at which it is asked. */
export const rolloutDocument = (state: Rollout, revision: number): Document =>
  state.status === 'absent' ? {} : { ...state.definition, revision, status: state.status };

/** An experiment's document with what was seen last of the comparison that runs in each environment: `look`, null where nobody has looked. */
export const withLooks = (document: Document, looks: readonly LookMessage[]): Document => {
  const runs = document.environments as Readonly<Record<string, ExperimentState>>;
  const environments = Object.entries(runs).map(([environment, run]) => {
    const comparison = run.segments.at(-1)?.comparison;
    const ofThis = looks.filter((look) => look.environment === environment && look.comparison === comparison);
    const newest = ofThis.reduce<LookMessage | null>(
      (one, other) => (one === null || other.knownUntilUs > one.knownUntilUs ? other : one),
      null,
    );
    return [environment, { ...run, look: newest === null ? null : lookDocument(newest) }] as const;
  });
  return { ...document, environments: Object.fromEntries(environments) };
};

const lookDocument = ({
  comparison,
  stage,
  policy,
  knownUntilUs,
  verdict,
  sentence,
  actions,
  units,
  record,
  lookedAtUs,
}: LookMessage): Document => ({
  comparison,
  stage,
  policy,
  knownUntil: formatInstant(knownUntilUs),
  verdict,
  sentence,
  actions,
  units,
  record,
  lookedAt: formatInstant(lookedAtUs),
});
