/** The shape of what may be recorded, checked at the door: what is stored is stored for ever. */
import { type DecisionRecord, experimentDefinition, metricDefinition, metricUse, slug } from '@rampart/contracts';
import { z } from 'zod';

/** A message of the log must be able to hold what is made of it, and readers of the event store several. */
const MOST_BYTES = 8 * 2 ** 20;
/** What is nested deeper breaks whoever reads it recursively, us included. */
const DEEPEST = 32;

/** It can't become a record, whatever is tried. */
export class UnreadableProposal extends Error {
  override readonly name = 'UnreadableProposal';
}

const instantUs = z.int().min(0);
const count = z.int().min(0);
const text = z.string();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');
const integer = z.string().regex(/^-?\d+$/, 'must be an integer in decimal');
const verdictKind = z.enum(['go', 'no-go', 'continue', 'inconclusive', 'invalid']);

/** Loose where a newer analysis may say more: what is not known here is kept as it came. */
const definition = z.looseObject({
  environment: z.looseObject({ project: slug, key: slug, kind: z.enum(['live', 'historical']) }),
  experiment: experimentDefinition,
  version: z.int().min(1),
  state: z.looseObject({
    experiment: slug,
    version: z.int().min(1),
    status: text,
    segments: z.array(z.looseObject({ segment: z.int().min(1), comparison: z.int().min(1), startedAtUs: instantUs, seed: text })).min(1),
    startedAtUs: instantUs.nullable(),
    closedAtUs: instantUs.nullable(),
  }),
  metrics: z.array(z.looseObject({ use: metricUse, version: z.int().min(1), definition: metricDefinition })),
});

const sums = z.looseObject({
  metric: text,
  version: z.int().min(1),
  variant: text,
  arm: text,
  segment: count,
  stratum: text,
  scale: integer,
  units: count,
  sum: integer,
  sumSquares: integer,
});

const armVerdict = { verdict: verdictKind, rule: text, sentence: text };
const verdict = z.looseObject({
  ...armVerdict,
  arms: z.array(z.looseObject({ arm: text, ...armVerdict })),
  findings: z.array(z.looseObject({ kind: text, metric: text.nullable(), arm: text.nullable(), holds: z.boolean(), sentence: text })),
});

const decisionRecord = z.looseObject({
  id: sha256,
  previous: sha256.nullable(),
  project: slug,
  environment: slug,
  experiment: slug,
  comparison: z.int().min(1),
  stage: slug.nullable(),
  cause: z.enum(['first', 'verdict', 'crossing', 'definition', 'daily', 'stage-action', 'planned-look', 'closing']),
  policy: z.enum(['stage', 'ship']),
  knownUntilUs: instantUs,
  definition,
  seenEvents: z.array(text),
  sums: z.array(sums),
  population: z.array(z.looseObject({ variant: text, arm: text, exposed: count, counted: count, excluded: z.record(text, count) })),
  verdict,
  actions: z.looseObject({
    ramp: z.enum(['advance', 'stay', 'hold', 'hold-and-ask', 'roll-back']),
    experiment: z.enum(['recommend-shipping', 'stay', 'recommend-control', 'recommend-repair', 'recommend-stopping']),
    gate: z.enum(['go', 'wait', 'no-go']),
  }),
  latched: z.array(
    z.looseObject({
      test: z.enum(['sample-ratio', 'harm', 'go']),
      metric: text.nullable(),
      arm: text.nullable(),
      knownUntilUs: instantUs,
      value: z.number(),
    }),
  ),
  looks: z
    .array(
      z.looseObject({
        look: z.int().min(1),
        looks: z.int().min(1),
        knownUntilUs: instantUs,
        tests: z.array(
          z.looseObject({
            test: z.enum(['superiority', 'non-inferiority']),
            metric: text,
            arm: text,
            level: z.number(),
            estimate: z.number().nullable(),
            se: z.number().nullable(),
            statistic: z.number().nullable(),
            spent: z.number(),
            bound: z.number().nullable(),
            couldLose: z.number().nullable(),
          }),
        ),
      }),
    )
    .optional(),
  numbers: z.record(text, text),
  evidenceDigest: sha256,
  conclusionDigest: sha256,
  engine: text.min(1),
});

const proposal = z.looseObject({
  record: decisionRecord.superRefine((record, ctx) => {
    const { environment, experiment, state } = record.definition;
    const told: readonly (readonly [string, string, string])[] = [
      ['project', record.project, environment.project],
      ['environment', record.environment, environment.key],
      ['experiment', record.experiment, experiment.key],
      ['experiment', record.experiment, state.experiment],
    ];
    for (const [field, ofPlace, ofDefinition] of told)
      if (ofPlace !== ofDefinition)
        ctx.addIssue({ code: 'custom', path: [field], message: `is "${ofPlace}", but the definition tells of "${ofDefinition}"` });
  }),
});

/** A record as it is read back, with when it was appended. */
export const recordedShape = z.strictObject({ record: decisionRecord, recordedAtUs: instantUs, revision: z.int().min(1) });

/**
 * @returns the record as it came, defaults of today not filled in: its id is the hash of what was said
 * @throws UnreadableProposal with the place and the reason
 */
export const proposedRecord = (value: Uint8Array | null): DecisionRecord => {
  if (value === null) throw new UnreadableProposal('it is empty');
  if (value.byteLength > MOST_BYTES)
    throw new UnreadableProposal(`it has ${value.byteLength} bytes, a record at most ${MOST_BYTES}: leave strata or segments out`);
  const said = parsed(value);
  requireShallow(said);
  const checked = proposal.safeParse(said);
  if (checked.success) return (said as { readonly record: DecisionRecord }).record;
  const [issue] = checked.error.issues;
  throw new UnreadableProposal(`/${(issue?.path ?? []).join('/')}: ${issue?.message ?? 'is not valid'}`);
};

const parsed = (value: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8'));
  } catch (error) {
    throw new UnreadableProposal(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const requireShallow = (value: unknown): void => {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw new UnreadableProposal(`it is nested deeper than ${DEEPEST} levels`);
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
};
