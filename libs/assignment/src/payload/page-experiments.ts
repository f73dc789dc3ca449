/** Experiments that a page's address starts: redirects, and visual changes. What happens is returned as data; nothing here navigates. */
import { isObject } from '../conditions/predicates.js';
import { type ExperimentResult, experimentResult, trackingKey } from '../ruleset/results.js';
import type { CompiledExperiment } from '../ruleset/ruleset.js';
import { runExperiment } from '../ruleset/run-experiment.js';
import type { Tracked, Unit } from '../ruleset/unit.js';
import { Compilation } from './compilation.js';
import { compileStandalone } from './compile-experiment.js';
import { compileInto } from './compile-payload.js';
import type { Payload, PayloadExperiment } from './payload.js';
import { compileUrlTargets, withQueryOf } from './url-targeting.js';

export interface PageExperiment {
  readonly compiled: CompiledExperiment;
  readonly kind: 'redirect' | 'visual' | 'unknown';
  /** Runs only when triggered by its key. */
  readonly isManual: boolean;
  readonly changeId: string | undefined;
  readonly keepsQuery: boolean;
  readonly targets: (url: string) => boolean;
}

export interface PageOptions {
  readonly triggered?: ReadonlySet<string>;
  readonly blockedChangeIds?: readonly string[];
  readonly disableVisualExperiments?: boolean;
  readonly disableJsInjection?: boolean;
  readonly disableUrlRedirectExperiments?: boolean;
  readonly disableCrossOriginUrlRedirectExperiments?: boolean;
}

export interface PageOutcome {
  readonly results: readonly ExperimentResult[];
  /** One per unit, experiment and variation. */
  readonly tracked: readonly Tracked[];
  /** Empty: stay. */
  readonly redirectUrl: string;
}

const kindOf = ({ urlPatterns, variations }: PayloadExperiment): PageExperiment['kind'] => {
  const changes = variations.filter(isObject);
  if (urlPatterns && changes.some((change) => 'urlRedirect' in change)) return 'redirect';
  return changes.some((change) => change.domMutations || 'js' in change || 'css' in change) ? 'visual' : 'unknown';
};

const compileOne = (experiment: PayloadExperiment, payload: Payload, compilation: Compilation): PageExperiment => {
  const compiled = compileStandalone(experiment, payload.overrides, compilation);
  return {
    compiled,
    kind: kindOf({ ...experiment, variations: compiled.variations }),
    isManual: experiment.manual === true,
    changeId: experiment.changeId,
    keepsQuery: experiment.persistQueryString === true,
    targets: compileUrlTargets(experiment.urlPatterns ?? []),
  };
};

export const compilePage = (payload: Payload): readonly PageExperiment[] => {
  const compilation = new Compilation(payload.savedGroups ?? {}, {});
  compileInto(payload, new Map(), compilation); // prerequisites are features
  const experiments = Array.isArray(payload.experiments) ? (payload.experiments as readonly PayloadExperiment[]) : [];
  return experiments.filter(isObject).map((experiment) => compileOne(experiment as PayloadExperiment, payload, compilation));
};

const redirectOf = (change: unknown): string => (isObject(change) && typeof change.urlRedirect === 'string' ? change.urlRedirect : '');

/** Every address must be one, and of the same origin where that is asked for. */
const isRedirectBlocked = ({ compiled }: PageExperiment, url: string, options: PageOptions): boolean => {
  if (options.disableUrlRedirectExperiments === true) return true;
  try {
    const current = new URL(url);
    const targets = compiled.variations
      .map(redirectOf)
      .filter((target) => target !== '')
      .map((target) => new URL(target));
    const crosses = targets.some(({ host, protocol }) => host !== current.host || protocol !== current.protocol);
    return crosses && options.disableCrossOriginUrlRedirectExperiments === true;
  } catch {
    return true;
  }
};

const isBlocked = (experiment: PageExperiment, url: string, options: PageOptions): boolean => {
  const { changeId, compiled, kind } = experiment;
  if (kind === 'unknown') return true;
  if (kind === 'visual' && options.disableVisualExperiments === true) return true;
  const injects = compiled.variations.some((change) => isObject(change) && Boolean(change.js));
  if (kind === 'visual' && options.disableJsInjection === true && injects) return true;
  if (kind === 'redirect' && isRedirectBlocked(experiment, url, options)) return true;
  return Boolean(changeId) && (options.blockedChangeIds ?? []).includes(changeId ?? '');
};

/** Where to go; empty when the target is on the page's own addresses, which would go round in circles. */
const redirectFor = ({ keepsQuery, kind, targets }: PageExperiment, value: unknown, url: string): string => {
  const target = redirectOf(value);
  if (kind !== 'redirect' || target === '') return '';
  const going = keepsQuery ? withQueryOf(url, target) : target;
  return targets(going) ? '' : going;
};

/** In order; the first redirect experiment that the unit is in ends the round. */
export const runPage = (experiments: readonly PageExperiment[], unit: Unit, options: PageOptions = {}): PageOutcome => {
  const results: ExperimentResult[] = [];
  const collected: Tracked[] = [];
  let redirectUrl = '';
  for (const experiment of experiments) {
    if (experiment.isManual && options.triggered?.has(experiment.compiled.key) !== true) continue;
    unit.tracked = collected;
    const decision = isBlocked(experiment, unit.url, options) ? null : runExperiment(experiment.compiled, unit);
    unit.tracked = null;
    const result = experimentResult(experiment.compiled, decision, unit);
    results.push(result);
    if (decision === null || experiment.kind !== 'redirect') continue;
    redirectUrl = redirectFor(experiment, result.value, unit.url);
    break;
  }
  const tracked = [...new Map(collected.map((one) => [trackingKey(one), one])).values()];
  return { results, tracked, redirectUrl };
};
