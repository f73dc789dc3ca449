/** A traffic scenario: which units come, what they do under each arm, and how badly that is reported. */
import { experimentDefinition, LIMITS, metricDefinition, slug } from '@rampart/contracts';
import { z } from 'zod';
import { didYouMean } from '../../suggestion.js';
import { constant, distribution } from './distributions.js';

const name = z.string().min(1).max(LIMITS.nameLength);
const share = z.number().min(0).max(1);
const seconds = z.number().min(0);

const stretch = {
  fromSeconds: seconds.default(0).describe('only for units that arrive from then on'),
  untilSeconds: seconds.optional().describe('… and before then'),
};

const arrival = z
  .strictObject({
    perSecond: z.number().positive().optional().describe('new units per second, for as long as it lasts'),
    phases: z
      .array(
        z.strictObject({
          seconds: z.number().positive().describe('how long it lasts'),
          perSecond: seconds.describe('at its beginning'),
          toPerSecond: seconds.optional().describe('at its end, straight in between; default: the same'),
        }),
      )
      .min(1)
      .max(100)
      .optional()
      .describe('instead of `perSecond`: a rate that changes; nobody arrives after the last one'),
    pattern: z.enum(['poisson', 'even']).default('poisson').describe('units arrive independently of each other, or like clockwork'),
  })
  .superRefine(({ perSecond, phases }, ctx) => {
    if ((perSecond === undefined) === (phases === undefined))
      ctx.addIssue({ code: 'custom', message: 'needs either "perSecond" or "phases"' });
    if (phases?.every((phase) => phase.perSecond === 0 && (phase.toPerSecond ?? 0) === 0))
      ctx.addIssue({ code: 'custom', path: ['phases'], message: 'every rate is 0: no unit would ever arrive' });
  });
export type Arrival = z.output<typeof arrival>;

const change = z
  .strictObject({
    relative: z.number().min(-1).optional().describe('0.1 = a tenth more'),
    absolute: z.number().optional().describe('added'),
  })
  .superRefine(({ relative, absolute }, ctx) => {
    if ((relative === undefined) === (absolute === undefined))
      ctx.addIssue({ code: 'custom', message: 'needs either "relative" or "absolute"' });
  });
export type Change = z.output<typeof change>;

const effect = z
  .strictObject({
    event: name.describe('one of the scenario’s events'),
    probability: change.optional().describe('of having the event at all'),
    value: change.optional().describe('of the mean of its values; their spread stays'),
    count: change.optional().describe('of the mean number of events of a unit that has any'),
    ...stretch,
  })
  .superRefine(({ probability, value, count }, ctx) => {
    if ((probability ?? value ?? count) === undefined)
      ctx.addIssue({ code: 'custom', message: 'changes nothing: it needs "probability", "value" or "count"' });
  });

const arm = z.strictObject({
  variant: name.describe('as the experiment’s definition has it'),
  weight: z.int().min(0).max(1_000_000).default(1).describe('share of the design, beside the other weights'),
  effects: z.array(effect).max(100).default([]).describe('what this arm changes; a change that begins later has `fromSeconds`'),
});

const experiment = z.strictObject({
  key: slug.describe('of the experiment on the platform'),
  copies: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('so many experiments like this one: `key-01`, `key-02` …; a definition of `key` is copied likewise'),
  assignment: z
    .enum(['hash', 'external'])
    .default('external')
    .describe(
      '`hash`: by the public hash of the unit’s id, reported with reason SPLIT; `external`: by the sender’s own dice, reported without reason',
    ),
  salt: z.string().min(1).max(200).optional().describe('of the hash; default: the key'),
  coverage: share.default(1).describe('share of the units that take part'),
  arms: z.array(arm).min(1).max(50).describe('control first'),
  sendsAssignments: z.boolean().default(false).describe('an `assignment.v1` at arrival, before the exposure'),
  exposureDelay: distribution.default(constant(0)).describe('seconds from arrival to exposure; default: 0'),
  choices: z
    .array(
      z.strictObject({
        reason: z.enum(['USER_CHANNEL', 'OVERRIDE', 'HOLDOUT', 'STATIC']),
        share: share.describe('of the units in the experiment'),
        variant: name.describe('what they get instead'),
      }),
    )
    .max(10)
    .default([])
    .describe('units that were not randomised: own choice (`USER_CHANNEL`), override …'),
  twoArms: z
    .strictObject({
      share: share.describe('of the exposed units'),
      after: distribution.default(constant(1)).describe('seconds from one to the other; default: 1'),
    })
    .optional()
    .describe('units that are seen again under another arm'),
});

const event = z.strictObject({
  name: name.describe('as the metrics name it'),
  type: z.enum(['metric', 'feedback']).default('metric'),
  probability: share.default(1).describe('share of the units that have it at all, without any effect'),
  count: distribution
    .default(constant(1))
    .describe('how many such events a unit with any has; `geometric` = they come in clusters; default: 1'),
  value: distribution.optional().describe('default: the events carry none'),
  decimals: z.int().min(0).max(6).default(2).describe('values are rounded to so many'),
  delay: distribution.default(constant(0)).describe('seconds from the unit’s exposure to its first such event; default: 0'),
  spacing: distribution.optional().describe('seconds between further ones; default: as `delay`'),
  beforeExposure: share
    .default(0)
    .describe(
      'share of the units with this event that have it before they are exposed, as a crash at start: they report nothing else but assignments',
    ),
});
export type ScenarioEvent = z.output<typeof event>;

const REPORTS = ['assignment', 'exposure', 'event'] as const;
const sending = z.strictObject({
  late: z
    .array(
      z.strictObject({
        share: share.describe('of the reports'),
        by: distribution.describe('seconds'),
        what: z.enum(REPORTS).optional().describe('default: all'),
      }),
    )
    .max(10)
    .default([])
    .describe('reports that are held back; their time stays true'),
  clock: z
    .strictObject({
      share: share.describe('of the units'),
      offset: distribution.describe('seconds by which their clock is ahead'),
      saysSentAt: z.boolean().default(true).describe('they also say when they sent, by the same clock'),
    })
    .optional()
    .describe('clients with a wrong clock'),
  twice: z
    .strictObject({
      share: share.describe('of the reports'),
      after: distribution.default(constant(1)).describe('seconds after the first; default: 1'),
      otherContent: share.default(0).describe('share of the repeats whose content differs, under the same id'),
    })
    .optional()
    .describe('reports that are sent again under the same id'),
  shuffleSeconds: seconds.default(0).describe('every report is delayed by chance up to this, so that they overtake each other'),
  lost: z
    .array(
      z.strictObject({
        share: share.describe('of these reports'),
        what: z.enum(REPORTS).default('exposure'),
        experiment: slug.optional().describe('default: any'),
        variant: name.optional().describe('default: any; needs `experiment`'),
        event: name.optional().describe('with `"what": "event"`; default: any'),
        where: z.record(name, z.string()).default({}).describe('only units with these properties: a hop where reports vanish'),
        ...stretch,
      }),
    )
    .max(50)
    .default([])
    .describe('reports that never arrive'),
});
export type Sending = z.output<typeof sending>;

const define = z.strictObject({
  metrics: z.array(metricDefinition).max(200).default([]).describe('as in POST /v1/metrics'),
  experiments: z.array(experimentDefinition).max(100).default([]).describe('as in POST /v1/experiments; each is started'),
});

const shape = z.strictObject({
  $schema: z.string().optional(),
  key: slug.describe('begins every id'),
  description: z.string().min(1).describe('what it shows, and what one should see'),
  project: slug.default('traffic').describe('of the platform'),
  environment: slug.default('production').describe('a live one'),
  unitType: name.default('user').describe('of every unit'),
  source: name.optional().describe('of the events; default: `traffic/` and the key'),
  seed: z.int().min(0).default(1).describe('the same seed and start: the same events'),
  arrival: arrival.describe('how many units come'),
  units: z.int().min(1).optional().describe('so many units; default: as long as it lasts'),
  seconds: z.number().positive().optional().describe('units arrive for so long; what they do later is still sent'),
  properties: z
    .record(name, z.record(z.string().min(1).max(LIMITS.propertyLength), share))
    .default({})
    .describe('of a unit, sent with all its reports: property → value → share of the units'),
  experiments: z.array(experiment).max(100).default([]).describe('what units take part in, each in all of them'),
  events: z.array(event).max(50).default([]).describe('what units do, before any effect'),
  sending: sending.prefault({}).describe('what goes wrong on the way'),
  define: define.optional().describe('made and started where they are absent'),
});

type Written = z.output<typeof shape>;
type WrittenExperiment = Written['experiments'][number];

export const scenario = shape
  .superRefine((written, ctx) => {
    for (const { path, message } of contradictions(written)) ctx.addIssue({ code: 'custom', path: [...path], message });
  })
  .transform((written) => withCopies(written));
export type Scenario = z.output<typeof scenario>;
export type ScenarioExperiment = Scenario['experiments'][number];

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function* contradictions(written: Written): Generator<Contradiction> {
  const events = new Map(written.events.map((one) => [one.name, one]));
  yield* repeated(
    written.events.map((one) => one.name),
    'events',
    'name',
  );
  yield* repeated(
    written.experiments.map((one) => one.key),
    'experiments',
    'key',
  );
  for (const [index, one] of written.experiments.entries()) {
    yield* wrongExperiment(one, ['experiments', index], events);
    yield* wrongDefinition(one, ['experiments', index], written);
  }
  for (const [property, shares] of Object.entries(written.properties)) {
    const whole = Object.values(shares).reduce((sum, part) => sum + part, 0);
    if (whole > 1 + 1e-9) yield { path: ['properties', property], message: `the shares add up to ${whole}, more than 1` };
  }
  yield* wrongLosses(written, events);
}

function* repeated(names: readonly string[], list: string, field: string): Generator<Contradiction> {
  for (const [index, one] of names.entries())
    if (names.indexOf(one) < index) yield { path: [list, index, field], message: `"${one}" is there already` };
}

function* wrongExperiment(
  { arms, choices }: WrittenExperiment,
  path: readonly (string | number)[],
  events: ReadonlyMap<string, ScenarioEvent>,
): Generator<Contradiction> {
  const variants = arms.map(({ variant }) => variant);
  if (arms.every(({ weight }) => weight === 0)) yield { path: [...path, 'arms'], message: 'every weight is 0: no unit gets an arm' };
  const chosen = choices.reduce((sum, choice) => sum + choice.share, 0);
  if (chosen > 1 + 1e-9) yield { path: [...path, 'choices'], message: `the shares add up to ${chosen}, more than 1` };
  for (const [index, { variant }] of choices.entries())
    if (!variants.includes(variant)) yield { path: [...path, 'choices', index, 'variant'], message: unknown('arm', variant, variants) };
  for (const [index, { variant, effects }] of arms.entries()) {
    if (variants.indexOf(variant) < index) yield { path: [...path, 'arms', index, 'variant'], message: `"${variant}" is there already` };
    for (const [place, { event: changed, probability }] of effects.entries()) {
      const at = [...path, 'arms', index, 'effects', place];
      const base = events.get(changed);
      if (base === undefined) yield { path: [...at, 'event'], message: unknown('event', changed, [...events.keys()]) };
      else if (probability !== undefined) {
        const becomes = changedBy(base.probability, probability);
        if (becomes < 0 || becomes > 1 + 1e-9)
          yield { path: [...at, 'probability'], message: `takes the probability from ${base.probability} to ${becomes}, which is none` };
      }
    }
  }
}

function* wrongDefinition(
  { key, arms }: WrittenExperiment,
  path: readonly (string | number)[],
  { define: made, unitType }: Written,
): Generator<Contradiction> {
  const definition = made?.experiments.find((one) => one.key === key);
  if (definition === undefined) return;
  const known = definition.variants.map((variant) => variant.key);
  for (const [index, { variant }] of arms.entries())
    if (!known.includes(variant))
      yield { path: [...path, 'arms', index, 'variant'], message: unknown('variant of its definition', variant, known) };
  if (definition.unitType !== unitType)
    yield { path: ['unitType'], message: `is "${unitType}", but the definition of "${key}" says "${definition.unitType}"` };
}

function* wrongLosses({ sending: { lost }, experiments }: Written, events: ReadonlyMap<string, ScenarioEvent>): Generator<Contradiction> {
  const keys = experiments.map(({ key }) => key);
  for (const [index, { experiment: key, variant, event: lostEvent, what }] of lost.entries()) {
    const path = ['sending', 'lost', index];
    const found = experiments.find((one) => one.key === key);
    const variants = found?.arms.map((one) => one.variant) ?? [];
    if (key !== undefined && found === undefined) yield { path: [...path, 'experiment'], message: unknown('experiment', key, keys) };
    if (variant !== undefined && key === undefined) yield { path: [...path, 'variant'], message: 'needs "experiment" beside it' };
    if (variant !== undefined && found !== undefined && !variants.includes(variant))
      yield { path: [...path, 'variant'], message: unknown('arm', variant, variants) };
    if (lostEvent === undefined) continue;
    if (what !== 'event') yield { path: [...path, 'event'], message: 'needs "what": "event" beside it' };
    if (!events.has(lostEvent)) yield { path: [...path, 'event'], message: unknown('event', lostEvent, [...events.keys()]) };
  }
}

const unknown = (kind: string, word: string, known: readonly string[]): string =>
  `there is no ${kind} "${word}".${didYouMean(word, known)}`.replace(/\.$/, '');

/** @returns the parameter as the change leaves it */
export const changedBy = (parameter: number, { relative = 0, absolute = 0 }: Change): number => parameter * (1 + relative) + absolute;

/** Writes copies out: from here on every experiment stands for itself. */
const withCopies = ({ define: made, ...written }: Written) => {
  const keysOf = ({ key, copies }: { key: string; copies?: number }): readonly string[] =>
    copies === undefined ? [key] : Array.from({ length: copies }, (_, index) => `${key}-${String(index + 1).padStart(2, '0')}`);
  const named = new Map(written.experiments.map((one) => [one.key, keysOf(one)]));
  return {
    ...written,
    experiments: written.experiments.flatMap(({ copies: _copies, ...one }) =>
      (named.get(one.key) ?? []).map((key) => ({ ...one, key, salt: one.salt === undefined ? key : `${one.salt}/${key}` })),
    ),
    define: made && {
      ...made,
      experiments: made.experiments.flatMap((one) =>
        (named.get(one.key) ?? [one.key]).map((key) => ({ ...one, key, name: key === one.key ? one.name : `${one.name} (${key})` })),
      ),
    },
  };
};
