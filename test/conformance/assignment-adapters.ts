/** Brings each group's cases to the engine that evaluates in production, and says what the case expects beside what was found. */
import {
  armAt,
  bucketRanges,
  type Context,
  compilePage,
  compilePayload,
  compileRun,
  decrypt,
  documentKey,
  equalWeights,
  evaluate,
  featureResult,
  hash,
  holds,
  inNamespace,
  type Payload,
  type PayloadExperiment,
  queryStringOverride,
  type Range,
  run,
  runPage,
  type SavedGroups,
  type StickyDocument,
  stickyAttributes,
  unitOf,
} from '@rampart/assignment';
import { recordOf } from './assignment-cases.js';
import type { Json, JsonRecord } from './reference-cases.js';

export interface Comparison {
  readonly expected: unknown;
  readonly actual: unknown;
}
/** Sees the tuple, never the case's id or place. */
export type AssignmentAdapter = (tuple: readonly Json[]) => Comparison | Promise<Comparison>;

/** The format compares shares of units after cutting them off at the eighth decimal. */
const cut = (n: number): number => Math.floor(n * 1e8) / 1e8;
const cutAll = (value: unknown): unknown => (Array.isArray(value) ? value.map(cutAll) : cut(Number(value)));

const payloadOf = (context: JsonRecord): Payload => context as unknown as Payload;

/** The format's context is the SDK's options: what belongs to the payload and what to the unit stand side by side. */
const contextOf = (context: JsonRecord, more: Partial<Context> = {}): Context => {
  const { attributeOverrides, attributes, enabled, forcedVariations, groups, qaMode, url, user } = context;
  const given = { attributeOverrides, enabled, forcedVariations, groups, qaMode, url };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...(said as Context), attributes: { ...recordOf(user), ...recordOf(attributes) }, ...more };
};

const feature: AssignmentAdapter = ([, given, key, expected]) => {
  const context = recordOf(given);
  const unit = unitOf(contextOf(context));
  return { expected, actual: featureResult(evaluate(compilePayload(payloadOf(context)), String(key), unit), unit) };
};

const runOne: AssignmentAdapter = ([, given, experiment, value, inExperiment, hashUsed]) => {
  const context = recordOf(given);
  const compiled = compileRun(recordOf(experiment) as unknown as PayloadExperiment, payloadOf(context));
  const result = run(compiled, unitOf(contextOf(context)));
  return {
    expected: { value, inExperiment, hashUsed },
    actual: { value: result.value, inExperiment: result.inExperiment, hashUsed: result.hashUsed },
  };
};

const stickyBucket: AssignmentAdapter = ([, given, stored, key, result, documents]) => {
  const context = recordOf(given);
  const kept = [
    ...(stored as unknown as StickyDocument[]),
    ...Object.values(recordOf(context.stickyBucketAssignmentDocs)),
  ] as StickyDocument[];
  const byKey = new Map(kept.map((one) => [documentKey(one.attributeName, one.attributeValue), one]));
  // Only documents of this unit's own attributes are loaded.
  const mine = Object.entries(stickyAttributes(payloadOf(context), unitOf(contextOf(context)))).flatMap(([name, value]) => {
    const found = byKey.get(documentKey(name, value));
    return found === undefined ? [] : [[documentKey(name, value), found] as const];
  });
  const unit = unitOf(contextOf(context, { stickyBuckets: Object.fromEntries(mine) }));
  const found = featureResult(evaluate(compilePayload(payloadOf(context)), String(key), unit), unit);
  return {
    expected: { result, documents },
    actual: { result: found.experimentResult ?? null, documents: unit.stickyBuckets },
  };
};

const urlRedirect: AssignmentAdapter = ([, given, expected]) => {
  const context = recordOf(given);
  const { redirectUrl, tracked } = runPage(compilePage(payloadOf(context)), unitOf(contextOf(context)), context as object);
  const actual = tracked.map(({ result }) => ({
    inExperiment: result.inExperiment,
    urlRedirect: (result.value as { urlRedirect?: unknown }).urlRedirect,
    urlWithParams: redirectUrl,
  }));
  return { expected, actual };
};

export const assignmentAdapters: Readonly<Record<string, AssignmentAdapter>> = {
  hash: ([seed, value, version, expected]) => ({ expected, actual: hash(String(seed), String(value), Number(version)) }),
  getBucketRange: ([, args, expected]) => {
    const [arms, coverage, weights] = args as [number, number | null, number[] | null];
    return { expected: cutAll(expected), actual: cutAll(bucketRanges(arms, coverage, weights)) };
  },
  chooseVariation: ([, n, ranges, expected]) => ({ expected, actual: armAt(Number(n), ranges as unknown as Range[]) }),
  getEqualWeights: ([arms, expected]) => ({ expected: cutAll(expected), actual: cutAll(equalWeights(Number(arms))) }),
  getQueryStringOverride: ([, key, url, arms, expected]) => ({
    expected,
    actual: queryStringOverride(String(key), String(url), Number(arms)),
  }),
  inNamespace: ([, unitId, namespace, expected]) => ({
    expected,
    actual: inNamespace(String(unitId), namespace as unknown as [string, number, number]),
  }),
  evalCondition: ([, condition, attributes, expected, groups]) => ({
    expected,
    actual: holds(condition, attributes, recordOf(groups) as unknown as SavedGroups),
  }),
  decrypt: async ([, encrypted, key, expected]) => ({ expected, actual: await decrypt(String(encrypted), String(key)) }),
  feature,
  contextualBandit: feature,
  run: runOne,
  stickyBucket,
  urlRedirect,
};
