/** The unit that is asked about: its attributes and choices, and the few places that an evaluation writes to. */
import { jsonOf, memberOf, textOf } from '../conditions/attributes.js';

/** Where a unit was assigned before, one document per attribute value, keyed `attribute||value`. */
export interface StickyDocument {
  readonly attributeName: string;
  readonly attributeValue: string;
  /** `experimentKey__bucketVersion` → key of the variation. */
  readonly assignments: Readonly<Record<string, string>>;
}
export type StickyDocuments = Readonly<Record<string, StickyDocument>>;

/** What the unit's owner chose: a release channel for everything, `in`, `out` or `later` for single features. */
export interface Choices {
  readonly channel?: string;
  readonly features?: Readonly<Record<string, 'in' | 'out' | 'later'>>;
}

export interface Context {
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly attributeOverrides?: Readonly<Record<string, unknown>>;
  readonly url?: string;
  readonly choices?: Choices;
  /** Experiment key → arm. Not an exposure. */
  readonly forcedVariations?: Readonly<Record<string, number>>;
  /** Feature key → value. Not an exposure. */
  readonly forcedFeatureValues?: ReadonlyMap<string, unknown> | readonly (readonly [string, unknown])[];
  /** Present, be it empty: sticky bucketing is on. */
  readonly stickyBuckets?: StickyDocuments;
  readonly groups?: Readonly<Record<string, boolean>>;
  /** Only forced results. */
  readonly qaMode?: boolean;
  /** false: no experiments. */
  readonly enabled?: boolean;
}

/** A step of an evaluation, in the order in which they were asked. */
export interface Step {
  readonly kind:
    | 'preference'
    | 'forced value'
    | 'forced variation'
    | 'prerequisite'
    | 'layer'
    | 'targeting'
    | 'rollout'
    | 'sticky bucket'
    | 'allocation'
    | 'check';
  /** Rule, by its place; -1 before the rules. */
  readonly rule: number;
  readonly name: string;
  readonly passed: boolean;
  /** The bucket that was looked up, in [0, 1). */
  readonly bucket?: number;
}

/** An exposure to report: the SDKs' tracking call as data. */
export interface Tracked {
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface Unit {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly context: Context;
  readonly url: string;
  readonly forcedValues: ReadonlyMap<string, unknown> | null;
  /** Nothing but attributes: the short way through an evaluation. */
  readonly isPlain: boolean;
  readonly isSticky: boolean;
  stickyBuckets: StickyDocuments;
  stickyChanges: readonly StickyDocument[];
  /** Set it to an array to collect what would be tracked. */
  tracked: Tracked[] | null;
  trace: Step[] | null;
  rule: number;
  /** Features whose prerequisites are being asked. */
  path: readonly string[];
  /** Of the last evaluation: the bucket that decided (of `buckets`), -1 where none did. */
  bucket: number;
  stickyUsed: boolean;
  /** Bulk evaluation's buckets and conditions, null outside it. */
  buckets: Int32Array | null;
  memory: Uint8Array | null;
  attributeName: string | null;
  attributeText: string | undefined;
}

const NO_ATTRIBUTES: Readonly<Record<string, unknown>> = {};
const NO_DOCUMENTS: StickyDocuments = {};
const NO_CHANGES: readonly StickyDocument[] = [];
const NO_PATH: readonly string[] = [];

/** Takes a context as it is; one per evaluation or reused, as you like. Not to be shared by two threads of evaluation. */
export const unitOf = (context: Context): Unit => {
  const { attributes = NO_ATTRIBUTES, attributeOverrides, url = '', stickyBuckets, forcedFeatureValues } = context;
  return {
    attributes: attributeOverrides === undefined ? attributes : { ...attributes, ...attributeOverrides },
    context,
    url,
    forcedValues: forcedFeatureValues === undefined ? null : new Map(forcedFeatureValues),
    isPlain:
      url === '' &&
      stickyBuckets === undefined &&
      forcedFeatureValues === undefined &&
      context.choices === undefined &&
      context.forcedVariations === undefined &&
      context.qaMode === undefined &&
      context.enabled === undefined,
    isSticky: stickyBuckets !== undefined,
    stickyBuckets: stickyBuckets ?? NO_DOCUMENTS,
    stickyChanges: NO_CHANGES,
    tracked: null,
    trace: null,
    rule: -1,
    path: NO_PATH,
    bucket: -1,
    stickyUsed: false,
    buckets: null,
    memory: null,
    attributeName: null,
    attributeText: undefined,
  };
};

/** @returns undefined when the unit has no such id: what is falsy is none */
export const idOf = (unit: Unit, attribute: string): string | undefined => {
  if (unit.attributeName === attribute) return unit.attributeText;
  // Read here and not through `memberOf`: nearly always the same name, which the engine then reads in one step.
  const quick = unit.attributes[attribute];
  const raw = typeof quick === 'string' ? quick : memberOf(unit.attributes, attribute);
  unit.attributeName = attribute;
  unit.attributeText = raw ? textOf(raw) : undefined;
  return unit.attributeText;
};

/** The attribute that names the unit, and its value as it came; '' without. */
export const identityOf = (unit: Unit, attribute: string, fallback: string | null): { readonly name: string; readonly value: unknown } => {
  const own = memberOf(unit.attributes, attribute);
  if (own) return { name: attribute, value: own };
  const other = fallback === null ? null : memberOf(unit.attributes, fallback);
  return other && fallback !== null ? { name: fallback, value: other } : { name: attribute, value: '' };
};

/** As sticky documents name values: texts as they are, the rest as JSON. */
export const documentValue = (value: unknown): string => (typeof value === 'string' ? value : (jsonOf(value) ?? ''));

export const traced = (unit: Unit, kind: Step['kind'], name: string, passed: boolean, bucket?: number): void => {
  unit.trace?.push({ kind, rule: unit.rule, name, passed, ...(bucket === undefined ? {} : { bucket }) });
};
