import { describe, expect, it } from '@jest/globals';
import type { ComparisonSums } from '@rampart/feedback-store';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { conclude } from '../figures/conclusion.js';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence } from '../results/counted-evidence.examples.js';
import { ENGINE } from './engine.js';
import { lookTarget } from './look-target.js';
import { recordedQuery, recountedConclusion, replayOf } from './record-recount.js';
import { recordOf } from './records.js';

const KNOWN_UNTIL = 99_000_000;

const definition = exampleDefinition(
  {
    variants: [{ key: 'A' }, { key: 'B' }],
    control: 'A',
    plan: { method: 'sequential', plannedUnits: 400, minimumRunUs: 0, allowedLatenessUs: 1000 },
  },
  [
    {
      input: { key: 'latency', type: 'quantile', quantileLevel: 0.7, direction: 'decrease', windowUs: 1_000_000 },
      use: { role: 'guardrail', margin: { relative: 0.2 } },
    },
  ],
  'live',
);

/** Two requests of each of 400 units, faster in B. */
const evidence = new CountedEvidence(
  Array.from({ length: 400 }, (_, unit) => {
    const own = 100 + ((unit * 37) % 100) / 10 - (unit % 2) * 20;
    return { variant: unit % 2 === 0 ? 'A' : 'B', events: { latency: [own, own + 0.5] } };
  }),
);

const recorded = (sums: ComparisonSums) => {
  const { environment, experiment, version, state, metrics } = definition;
  if (state === null) throw new Error('the example runs');
  const conclusion = conclude({
    definition,
    query: comparisonQuery(definition, KNOWN_UNTIL),
    sums,
    plan: lookTarget(definition, KNOWN_UNTIL).plan,
    seenEvents: new Set(['latency']),
    latchedBefore: [],
    knownUntilUs: KNOWN_UNTIL,
  });
  return recordOf({
    place: { project: 'shop', environment: environment.key, experiment: experiment.key, comparison: 1, stage: null },
    policy: experiment.policy,
    cause: 'verdict',
    previous: null,
    knownUntilUs: KNOWN_UNTIL,
    definition: { environment, experiment, version, state, metrics },
    seenEvents: new Set(['latency']),
    conclusion,
    engine: ENGINE,
  });
};

describe('the record of a quantile that is judged at every look', () => {
  it('is counted again to the same order statistics and the same verdict', async () => {
    const record = recorded(await evidence.sums(comparisonQuery(definition, KNOWN_UNTIL)));
    expect(record.verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    const again = recountedConclusion(record, await evidence.sums(recordedQuery(record)), []);
    expect(replayOf(record, again, null)).toMatchObject({ intact: true, evidence: { same: true }, conclusion: { same: true } });
  });

  it('differs where one rung of a ladder does, and says which', async () => {
    const sums = await evidence.sums(comparisonQuery(definition, KNOWN_UNTIL));
    const record = recorded(sums);
    const [first, ...others] = sums.quantiles ?? [];
    const [arm, ...rest] = first?.arms ?? [];
    if (first === undefined || arm?.ladder === undefined) throw new Error('the query asks for ladders');
    const ladder = arm.ladder.map((rung, place) => (place === 3 ? { ...rung, value: rung.value - 1n } : rung));
    const moved = { ...sums, quantiles: [{ ...first, arms: [{ ...arm, ladder }, ...rest] }, ...others] };
    const replay = replayOf(record, recountedConclusion(record, moved, []), null);
    expect(replay.evidence.same).toBe(false);
    expect(replay.evidence.differences.map(({ arm: of, field }) => [of, field])).toEqual([['A', 'quantile.ladder.values.3']]);
  });
});
