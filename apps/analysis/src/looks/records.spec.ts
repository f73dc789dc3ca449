import { describe, expect, it } from '@jest/globals';
import type { Crossing, Verdict } from '@rampart/contracts';
import { BACK_AND_FORTH_US, causeOf, type RecordHead } from './records.js';

const DAY = 86_400_000_000;
const verdict = (kind: Verdict['verdict'], rule = 'a-rule', sentence = 's'): Verdict => ({
  verdict: kind,
  rule,
  sentence,
  arms: [{ arm: 'B', verdict: kind, rule, sentence }],
  findings: [],
});
const crossing: Crossing = { test: 'harm', metric: 'crashes', arm: 'B', knownUntilUs: 5, value: 7 };

const head = (change: Partial<RecordHead> = {}): RecordHead => ({
  id: 'a',
  previous: null,
  knownUntilUs: 10 * DAY + 5,
  cause: 'first',
  policy: 'ship',
  verdict: verdict('continue'),
  actions: { ramp: 'stay', experiment: 'stay', gate: 'wait' },
  latched: [],
  definitionHash: 'h',
  step: null,
  ...change,
});

const look = (change: Partial<Parameters<typeof causeOf>[1]> = {}) => ({
  knownUntilUs: 10 * DAY + 6,
  verdict: verdict('continue'),
  latched: [],
  definitionHash: 'h',
  step: null,
  isLast: false,
  ...change,
});

describe('a look becomes a record', () => {
  it('when it is the first of its comparison', () => {
    expect(causeOf(undefined, look())).toBe('first');
  });

  it('not when it says the same, though its numbers moved', () => {
    expect(causeOf(head(), look({ verdict: verdict('continue', 'a-rule', 'other numbers') }))).toBeUndefined();
  });

  it('when the verdict changes, or the rule behind it, or that of one arm', () => {
    expect(causeOf(head(), look({ verdict: verdict('go') }))).toBe('verdict');
    expect(causeOf(head(), look({ verdict: verdict('continue', 'another-rule') }))).toBe('verdict');
    const oneArm = { ...verdict('continue'), arms: [{ arm: 'B', verdict: 'no-go' as const, rule: 'r', sentence: 's' }] };
    expect(causeOf(head(), look({ verdict: oneArm }))).toBe('verdict');
  });

  describe('that goes back and forth', () => {
    const SECOND = 1_000_000;
    const begunUs = 10 * DAY;
    /** Looks every two seconds, that say these things in turn, against a chain of their own; each record as `second verdict`. */
    const recordedOf = (sayings: readonly Verdict['verdict'][], seconds: number): readonly string[] => {
      const chain: RecordHead[] = [];
      for (let second = 0; second < seconds; second += 2) {
        const kind = sayings[(second / 2) % sayings.length] ?? 'continue';
        const said = look({ knownUntilUs: begunUs + second * SECOND, verdict: verdict(kind) });
        const recent = chain.filter(({ knownUntilUs }) => knownUntilUs > said.knownUntilUs - BACK_AND_FORTH_US);
        if (causeOf(chain.at(-1), said, recent) !== undefined) chain.push(head({ ...said, cause: 'verdict' }));
      }
      return chain.map((one) => `${(one.knownUntilUs - begunUs) / SECOND} ${one.verdict.verdict}`);
    };

    it('is told once a minute, not at each look', () => {
      expect(recordedOf(['continue', 'inconclusive'], 130)).toEqual([
        '0 continue',
        '2 inconclusive',
        '60 continue',
        '62 inconclusive',
        '120 continue',
        '122 inconclusive',
      ]);
    });

    it('and stays at what it was before is told when it was last told a minute ago', () => {
      const once = [...new Array<'continue'>(5).fill('continue'), 'inconclusive' as const, ...new Array<'continue'>(94).fill('continue')];
      expect(recordedOf(once, 200)).toEqual(['0 continue', '10 inconclusive', '60 continue']);
    });

    it('takes back a go when a minute has passed, so that who may go on finds a record that says so', () => {
      expect(recordedOf(['continue', 'go', 'go', 'go'], 58)).toEqual(['0 continue', '2 go']);
      const lost = ['go' as const, ...new Array<'continue'>(99).fill('continue')];
      expect(recordedOf(lost, 200)).toEqual(['0 go', '60 continue']);
    });

    it('tells a no-go, a go and a failed check at once', () => {
      expect(recordedOf(['continue', 'go', 'invalid', 'no-go', 'no-go', 'no-go'], 12)).toEqual([
        '0 continue',
        '2 go',
        '4 invalid',
        '6 no-go',
      ]);
      const again = look({ verdict: verdict('no-go'), knownUntilUs: begunUs + 6 });
      const before = head({ knownUntilUs: begunUs + 5 });
      expect(causeOf(before, again, [before, head({ verdict: verdict('no-go'), knownUntilUs: begunUs + 4 })])).toBe('verdict');
    });
  });

  it('when a boundary is crossed that was not crossed before', () => {
    expect(causeOf(head(), look({ latched: [crossing] }))).toBe('crossing');
    expect(causeOf(head({ latched: [crossing] }), look({ latched: [crossing] }))).toBeUndefined();
  });

  it('when the definition changes, once a day, and at the last look', () => {
    expect(causeOf(head(), look({ definitionHash: 'other' }))).toBe('definition');
    expect(causeOf(head(), look({ knownUntilUs: 11 * DAY - 1 }))).toBeUndefined();
    expect(causeOf(head(), look({ knownUntilUs: 11 * DAY }))).toBe('daily');
    expect(causeOf(head(), look({ isLast: true }))).toBe('closing');
  });

  it('when it is the first of a step, whatever else it says', () => {
    const atHalf = look({ step: 'rollout/1/half/stage', latched: [crossing], definitionHash: 'other' });
    expect(causeOf(head({ step: 'rollout/1/tenth/stage' }), atHalf)).toBe('stage-action');
    expect(causeOf(head(), atHalf)).toBe('stage-action');
    expect(causeOf(head({ step: 'rollout/1/half/stage', definitionHash: 'other' }), atHalf)).toBe('crossing');
  });

  it('never when it knows nothing younger than the newest record', () => {
    const everything = { verdict: verdict('go'), latched: [crossing], definitionHash: 'other' };
    expect(causeOf(head(), look({ ...everything, knownUntilUs: head().knownUntilUs }))).toBeUndefined();
  });

  it('once more when somebody closes it at the moment of the newest record, or before it', () => {
    for (const earlier of [0, 1]) {
      const closed = { isLast: true, knownUntilUs: head().knownUntilUs - earlier, definitionHash: 'closed' };
      expect(causeOf(head(), look(closed))).toBe('closing');
      expect(causeOf(head({ definitionHash: 'closed' }), look(closed))).toBeUndefined();
    }
  });
});
