import { describe, expect, it } from '@jest/globals';
import type { Feature } from '../feature/feature.js';
import type { AnalysisPlan } from './analysis-plan.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import { anExperiment, DAY, metricOf, surroundings, T0 } from './experiments.examples.js';
import { type PlannedRun, pinnedVersions, startChecklist } from './start-checklist.js';

const planned = (change: Partial<PlannedRun> = {}): PlannedRun => ({
  definition: anExperiment(),
  environment: { key: 'production', kind: 'live' },
  surroundings: surroundings(),
  metricVersions: {},
  startsAtUs: T0,
  atUs: T0,
  ...change,
});
const found = (change: Partial<PlannedRun>) => startChecklist(planned(change)).map(({ level, code, path }) => `${level} ${code} ${path}`);
const used = (role: 'success' | 'guardrail' | 'secondary', withMargin = false): ExperimentDefinition =>
  anExperiment({ metrics: [{ metric: 'converted', role, ...(withMargin ? { margin: { absolute: 1 } } : {}) }] });
const openEnd = surroundings({ converted: metricOf({ windowUs: null }) });
const past = { key: 'past', kind: 'historical' } as const;

describe('the checklist before a start', () => {
  it('is empty when all is well', () => {
    expect(found({})).toEqual([]);
  });
  it('asks for every metric, in the version that is named', () => {
    expect(found({ surroundings: surroundings({}) })).toEqual(['refusal metric-not-found /metrics/0/metric']);
    const definition = anExperiment({ metrics: [{ metric: 'converted', version: 3, role: 'success' }] });
    expect(found({ definition })).toEqual(['refusal metric-version-not-found /metrics/0/version']);
    expect(startChecklist(planned({ definition }))[0]?.sentence).toMatch(/no version 3, its newest is 1/);
  });
  it('asks for the unit type that is compared', () => {
    expect(found({ surroundings: surroundings({ converted: metricOf({ unitType: 'device' }) }) })).toEqual([
      'refusal metric-unit-type /metrics/0/metric',
    ]);
  });
  it('refuses what would decide and is never final', () => {
    expect(found({ surroundings: openEnd })).toEqual(['refusal metric-without-window /metrics/0/metric']);
    expect(found({ surroundings: openEnd, definition: used('guardrail', true) })).toEqual([
      'refusal metric-without-window /metrics/0/metric',
    ]);
  });
  it('lets a quantile decide continuously, and refuses it where the method tests means', () => {
    const quantile = (windowUs: number | null) =>
      surroundings({ converted: metricOf({ type: 'quantile', quantileLevel: 0.95, windowUs }) });
    const judged = (role: 'success' | 'guardrail' | 'secondary', plan: Partial<AnalysisPlan> = {}) =>
      anExperiment({ metrics: [{ metric: 'converted', role }], plan: { method: 'sequential', plannedUnits: 20_000, ...plan } });
    for (const role of ['success', 'guardrail', 'secondary'] as const)
      expect(found({ surroundings: quantile(DAY), definition: judged(role) })).toEqual([]);
    const mixture = { method: 'msprt' } as const;
    const refused = ['refusal quantile-not-sequential /metrics/0/metric'];
    expect(found({ surroundings: quantile(DAY), definition: judged('guardrail', mixture) })).toEqual(refused);
    expect(found({ surroundings: quantile(DAY), definition: judged('secondary', mixture) })).toEqual([]);
    expect(found({ surroundings: quantile(DAY), definition: judged('success', mixture), environment: past })).toEqual([]);
    expect(found({ surroundings: quantile(DAY) })).toEqual([]);
    const [item] = startChecklist(planned({ surroundings: quantile(DAY), definition: judged('success', mixture) }));
    expect(item?.sentence).toContain('success "converted" is a quantile, which is judged at one look or, by ranks, continuously');
  });
  it('refuses a metric that would need rows that may be gone', () => {
    const before = { whenMissing: 'zero', lookbackUs: 28 * DAY } as const;
    const [week, month] = [{}, { covariate: before }].map((change) => ({ converted: metricOf(change) }));
    const kept = (metrics: typeof month, change: Partial<PlannedRun> = {}, days = 28) =>
      startChecklist(planned({ surroundings: { ...surroundings(metrics), keptRowsUs: days * DAY }, ...change }));
    const [item, ...others] = kept(month);
    expect([item?.level, item?.code, item?.path, others]).toEqual(['refusal', 'rows-not-kept', '/metrics/0/metric', []]);
    expect(item?.sentence).toMatch(
      /^metric "converted" needs rows of the 29 days before, .* kept for 28 days .* look back for a shorter time/,
    );
    expect(kept(month, {}, 29)).toEqual([]);
    expect(kept(week)).toEqual([]);
    expect(kept(month, { environment: past })).toEqual([]);
    expect(found({ surroundings: surroundings(month) })).toEqual([]);
    // An experiment that is longer under way than rows are kept: those of its own metrics stay, a new one's may be gone.
    const late = { atUs: T0 + 30 * DAY };
    expect(kept(week, { ...late, metricVersions: { converted: 1 } })).toEqual([]);
    expect(kept(week, late)[0]?.sentence).toMatch(/would count from 2025-12-31T.* on, .*: define it in a new experiment$/);
  });
  it('refuses a plan that would be over with nobody in it', () => {
    const ended = (plan: Partial<AnalysisPlan>) => found({ definition: anExperiment({ plan: { plannedEndUs: T0 - DAY, ...plan } }) });
    expect(ended({ minimumRunUs: 0 })).toEqual(['refusal planned-end-before-start /plan/plannedEndUs']);
    expect(ended({ minimumRunUs: DAY })).toEqual(['warning planned-end-too-early /plan/plannedEndUs']);
  });
  it('refuses a quantile of values that may still change, as a guardrail too', () => {
    const open = surroundings({ converted: metricOf({ type: 'quantile', quantileLevel: 0.95, windowUs: null }) });
    const judged = (role: 'guardrail' | 'secondary') =>
      anExperiment({ metrics: [{ metric: 'converted', role }], plan: { method: 'sequential', plannedUnits: 20_000 } });
    expect(found({ surroundings: open, definition: judged('guardrail') })).toEqual(['refusal metric-without-window /metrics/0/metric']);
    expect(found({ surroundings: open, definition: judged('secondary') })).toEqual([]);
  });
  it('refuses caps at a quantile of units that never close, where they are looked at several times', () => {
    const capped = (windowUs: number | null) =>
      surroundings({ converted: metricOf({ type: 'mean', windowUs, capQuantile: { upper: 0.99, ignoreZeros: false, cohort: 1_000 } }) });
    const definition = anExperiment({
      metrics: [{ metric: 'converted', role: 'secondary' }],
      plan: { method: 'sequential', plannedUnits: 20_000 },
    });
    expect(found({ surroundings: capped(null), definition })).toEqual(['refusal cap-without-window /metrics/0/metric']);
    expect(found({ surroundings: capped(DAY), definition })).toEqual([]);
    expect(found({ surroundings: capped(null), definition, environment: past })).toEqual([]);
  });
  it('warns of a guardrail from which only harm could be told', () => {
    expect(found({ surroundings: openEnd, definition: used('guardrail') })).toEqual(['warning metric-without-window /metrics/0/metric']);
  });
  it('lets be shown what has an open end', () => {
    expect(found({ surroundings: openEnd, definition: used('secondary') })).toEqual([]);
  });
  it('asks history for no window and no end: it has both', () => {
    expect(found({ surroundings: openEnd, environment: past, definition: anExperiment({ plan: { plannedEndUs: undefined } }) })).toEqual(
      [],
    );
  });
  it('warns when the plan names no end, or one before the minimum run', () => {
    expect(found({ definition: anExperiment({ plan: { plannedEndUs: undefined } }) })).toEqual([
      'warning no-planned-end /plan/plannedEndUs',
    ]);
    const early = anExperiment({ plan: { plannedEndUs: T0 + 3 * DAY } });
    expect(found({ definition: early })).toEqual(['warning planned-end-too-early /plan/plannedEndUs']);
    expect(found({ definition: anExperiment({ plan: { plannedEndUs: T0 + 7 * DAY } }) })).toEqual([]);
    expect(startChecklist(planned({ definition: early }))[0]?.sentence).toMatch(/2026-01-04.*2026-01-08/);
  });
  it('warns when a sequential plan is never over by itself', () => {
    const sequential = (plan: { plannedEndUs?: number | undefined; plannedUnits?: number }) =>
      found({ definition: anExperiment({ plan: { method: 'sequential', plannedEndUs: undefined, ...plan } }) });
    expect(sequential({})).toEqual(['warning no-planned-units /plan/plannedUnits']);
    expect(sequential({ plannedUnits: 20_000 })).toEqual([]);
    expect(sequential({ plannedEndUs: T0 + 14 * DAY })).toEqual([]);
  });
  it('asks for the feature and its variants', () => {
    const definition = anExperiment({ feature: 'colour' });
    expect(found({ definition })).toEqual(['refusal feature-not-found /feature']);
    const version = (number: number, ...keys: readonly string[]) => ({
      version: number,
      definedAtUs: T0,
      definition: {
        key: 'colour',
        name: 'Colour',
        valueType: 'string',
        variants: keys.map((key) => ({ key, value: key })),
        defaultVariant: 'blue',
      } as const,
    });
    const on = (feature: Feature) => found({ definition, surroundings: surroundings(surroundings().metrics, feature) });
    expect(on({ versions: [version(1, 'blue')], switches: {} })).toEqual(['refusal variant-not-of-feature /variants/1/key']);
    expect(on({ versions: [version(1, 'blue'), version(2, 'blue', 'green')], switches: {} })).toEqual([]);
  });
});

describe('pinned metric versions', () => {
  const three = surroundings({ converted: metricOf({}, {}, {}) });
  it('are the named one, else the one that counts already, else the newest', () => {
    const named = anExperiment({ metrics: [{ metric: 'converted', version: 2, role: 'success' }] });
    expect(pinnedVersions(planned({ definition: named, surroundings: three, metricVersions: { converted: 1 } }))).toEqual({ converted: 2 });
    expect(pinnedVersions(planned({ surroundings: three, metricVersions: { converted: 1 } }))).toEqual({ converted: 1 });
    expect(pinnedVersions(planned({ surroundings: three }))).toEqual({ converted: 3 });
  });
});
