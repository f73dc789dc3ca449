import { describe, expect, it } from '@jest/globals';
import { concluded, converted, crashed, type ExampleLook, latency, onDay, ones, rampAt, spread } from './conclusion.examples.js';
import { wholeSums } from './figures.examples.js';

const three = [converted, crashed, latency];
const good = [
  [ones(5000, 500), ones(5000, 3), spread(5000, 100, 20)],
  [ones(5000, 620), ones(5000, 4), spread(5000, 100, 20)],
];
const ship = (change: Partial<ExampleLook> = {}) => concluded({ metrics: three, cells: good, ...change });

describe('a sequential plan', () => {
  it('goes with both numbers of every test, and each interval holds at every look', () => {
    const { verdict, actions, latched, figures } = ship();
    expect(verdict.sentence).toBe(
      'go with B – converted is 24 % better (E 387 ≥ 20); guardrail latency could be 1.11 % worse, margin 5 % (E 5.42e+27 ≥ 20)',
    );
    expect(actions.gate).toBe('go');
    expect(latched).toEqual([expect.objectContaining({ test: 'go', arm: 'B', knownUntilUs: onDay(8) })]);
    const [comparison] = figures.metrics[0]?.comparisons ?? [];
    expect(comparison?.anytime).toMatchObject({ level: 0.95, tightestAtUnits: 10_000, firstError: null });
  });

  it('is tightest at half of the planned units', () => {
    const { figures, plan } = ship({ experiment: { plan: { plannedUnits: 30_000 } } });
    expect(figures.metrics[0]?.comparisons[0]?.anytime?.tightestAtUnits).toBe(15_000);
    expect(plan.waits).toEqual([{ what: 'evidence', untilUs: null, have: 10_000, needed: 30_000 }]);
  });

  it('waits for the minimum run', () => {
    expect(ship({ knownUntilUs: onDay(3) }).verdict).toMatchObject({
      verdict: 'continue',
      sentence: 'continue – waits for the minimum run until 1970-01-08T00:00:01.000Z',
    });
  });

  it('is over when the planned units of the largest pair are closed for every judged metric', () => {
    const flat = [
      [ones(5000, 500), ones(5000, 3), spread(5000, 100, 20)],
      [ones(5000, 510), ones(5000, 4), spread(5000, 100, 20)],
    ];
    const at = (plannedUnits: number) => ship({ cells: flat, experiment: { plan: { plannedUnits } } });
    expect(at(10_000)).toMatchObject({ verdict: { verdict: 'inconclusive' }, plan: { exhausted: true } });
    expect(at(10_001)).toMatchObject({ verdict: { verdict: 'continue' }, plan: { exhausted: false } });
  });

  it('has no numbers before its burn-in, and says both counts', () => {
    const { verdict, figures } = ship({
      cells: [
        [ones(60, 5), ones(60, 0), spread(60, 100, 20)],
        [ones(61, 6), ones(61, 0), spread(61, 100, 20)],
      ],
    });
    expect(verdict.sentence).toContain('converted has no result (burn-in: 60 of 100 units an arm)');
    expect(figures.metrics[0]?.comparisons[0]?.anytime?.absolute).toEqual({ refused: 'NOT_ENOUGH_DATA', have: 60, needed: 100 });
    // The one-look figures are there all the same.
    expect(figures.metrics[0]?.comparisons[0]?.absolute).toMatchObject({ p: expect.any(Number) });
  });

  it('of millions of units is looked at from its first hundreds on: nothing is excluded yet, and it says so', () => {
    const cells = [ones(1000, 100), ones(1000, 110)].map((first) => [first, ones(1000, 3), spread(1000, 100, 20)]);
    const { verdict } = ship({ cells, experiment: { plan: { plannedUnits: 1_000_000_000 } } });
    expect(verdict.verdict).toBe('continue');
    expect(verdict.findings.find(({ kind }) => kind === 'non-inferiority')?.sentence).toContain('could be worse without bound');
  });

  it('asks 0/1 metrics for 25 of the rarer outcome in each arm', () => {
    const rare = (a: number, b: number) => ship({ metrics: [converted], cells: [[ones(1000, a)], [ones(1000, b)]] }).figures.metrics[0];
    expect(rare(25, 24)?.comparisons[0]?.anytime?.absolute).toEqual({ refused: 'NOT_ENOUGH_DATA', have: 24, needed: 25 });
    expect(rare(25, 25)?.comparisons[0]?.anytime?.absolute).toMatchObject({ p: expect.any(Number) });
  });

  it('continues without any data, saying what has none', () => {
    const { verdict, actions } = ship({ cells: [], seenEvents: new Set() });
    expect(verdict).toMatchObject({ verdict: 'continue' });
    expect(verdict.sentence).toContain(
      'converted has no result (burn-in: 0 of 100 units an arm); crashed has no result (an arm has fewer than two units to count)',
    );
    expect(actions).toEqual({ ramp: 'stay', experiment: 'stay', gate: 'wait' });
  });
});

describe('crashes', () => {
  const stage = (a: number, b: number, change: Partial<ExampleLook> = {}) =>
    concluded({
      metrics: [crashed],
      cells: [[ones(500, a)], [ones(500, b)]],
      // One metric and the ratio test: .0045 each.
      experiment: { policy: 'stage', plan: { alphaMinus: 0.009 } },
      ...change,
    });

  it('are a no-go at 14 against 0 at a level of .0045, without a burn-in, and not at 13', () => {
    expect(stage(0, 14).verdict.sentence).toBe(
      'no-go – crashed is worse: 14 of 14 units that have it are in B, whose share is 50 % (E 370 ≥ 222)',
    );
    expect(stage(0, 13).verdict).toMatchObject({ verdict: 'go', rule: 'nothing-is-worse' });
  });

  it('say nothing of harm on the good side', () => {
    expect(stage(30, 0).verdict.verdict).toBe('go');
  });

  it('turn around where more is good', () => {
    const applauded = { ...crashed, input: { ...crashed.input, direction: 'increase' as const } };
    expect(stage(30, 0, { metrics: [applauded] }).verdict.verdict).toBe('no-go');
    expect(stage(0, 30, { metrics: [applauded] }).verdict.verdict).toBe('go');
  });

  it('are weighed by the design: 1:3 makes 3 of 4 the expected share, over all cells of an arm', () => {
    const variants = [
      { key: 'A', weight: 1 },
      { key: 'B1', arm: 'B', weight: 1 },
      { key: 'B2', arm: 'B', weight: 2 },
    ];
    const plan = { alphaMinus: 0.009 };
    const cells = [[ones(500, 10)], [ones(500, 10)], [ones(1000, 20)]];
    const { figures, verdict } = stage(0, 0, { cells, experiment: { policy: 'stage', plan, variants } });
    expect(figures.metrics[0]?.comparisons[0]?.anytime?.firstError).toMatchObject({ control: 10, treatment: 30, expectedShare: 0.75 });
    expect(verdict.verdict).toBe('go');
  });

  it('without a designed ratio go by the confidence sequence', () => {
    const variants = [
      { key: 'A', weight: null },
      { key: 'B', weight: null },
    ];
    const { verdict } = stage(0, 30, { experiment: { policy: 'stage', variants } });
    expect(verdict.sentence).toContain('crashed has no result (burn-in: 0 of 25 units an arm with the rarer outcome)');
  });

  it('that never happened hold until their event is known to arrive', () => {
    expect(stage(0, 0).verdict.verdict).toBe('go');
    expect(stage(0, 0, { seenEvents: new Set() }).verdict.sentence).toContain('crashed has no data: its event was not seen');
  });
});

describe('the sample ratio', () => {
  const off = (crashes: number) => [
    [ones(5000, 500), ones(5000, 3), spread(5000, 100, 20)],
    [ones(4400, 440), ones(4400, crashes), spread(4400, 100, 20)],
  ];

  it('alone holds', () => {
    const { verdict, actions, latched, figures } = ship({ cells: off(4) });
    expect(verdict).toMatchObject({ verdict: 'invalid', rule: 'quality-failed' });
    expect(actions).toEqual({ ramp: 'hold', experiment: 'recommend-repair', gate: 'wait' });
    expect(latched).toEqual([expect.objectContaining({ test: 'sample-ratio', metric: null, arm: null })]);
    expect(figures.srm.anytime).toMatchObject({ alarmAtE: 1000, failed: true });
  });

  it('with crashes is invalid, and rolls back', () => {
    const { verdict, actions } = ship({ cells: off(84) });
    expect(verdict.verdict).toBe('invalid');
    expect(verdict.sentence).toContain('crashed is worse: 84 of 87 units');
    expect(actions).toEqual({ ramp: 'roll-back', experiment: 'recommend-stopping', gate: 'no-go' });
  });

  it('stays off though more units come', () => {
    const { latched } = ship({ cells: off(4) });
    const later = ship({ latchedBefore: latched, knownUntilUs: onDay(9) });
    expect(later.verdict.sentence).toContain('it was off at 1970-01-09T00:00:01.000Z with E ');
  });
});

describe('several treatments', () => {
  it('are judged each at its share, and the one that goes is named', () => {
    const variants = [{ key: 'A' }, { key: 'B' }, { key: 'C' }];
    const cells = [[ones(5000, 500)], [ones(5000, 620)], [ones(5000, 380)]];
    const { verdict, numbers } = ship({ metrics: [converted], cells, experiment: { variants } });
    expect(verdict.arms.map(({ arm, verdict: kind }) => `${arm}:${kind}`)).toEqual(['B:go', 'C:no-go']);
    expect(verdict.sentence).toMatch(/^go with B – converted is 24 % better \(E \d+ ≥ 40\)$/);
    // (S + Q)·k = 4 tests share α₋.
    expect(numbers['level/harm']).toBe('0.0125');
  });
});

describe('equal constants', () => {
  it('are nothing worse once both arms have 100 units', () => {
    const constant = (units: number) =>
      ship({ metrics: [latency], cells: [[spread(units, 7, 0)], [spread(units, 7, 0)]], experiment: { policy: 'stage' } });
    expect(constant(100).verdict.verdict).toBe('go');
    expect(constant(99).verdict.sentence).toContain('burn-in: 99 of 100 units an arm');
  });

  it('of one arm alone are no result', () => {
    const { verdict } = ship({ metrics: [latency], cells: [[spread(500, 7, 0)], [spread(500, 7, 2)]], experiment: { policy: 'stage' } });
    expect(verdict.sentence).toContain('latency has no result (every unit of an arm has the same value)');
  });
});

describe('a covariate', () => {
  const paired = (units: number, mean: number) => {
    // Outcome = covariate + mean: all spread is explained but what is added by hand.
    const [sum, squares] = [units * mean, units * (mean * mean + 400)];
    const covariate = {
      units,
      sum: BigInt(sum) * 1_000_000n,
      sumSquares: BigInt(squares) * 1_000_000_000_000n,
      covariateSum: 0n,
      covariateSumSquares: BigInt(units * 400) * 1_000_000_000_000n,
      covariateCrossSum: BigInt(units * 380) * 1_000_000_000_000n,
    };
    return wholeSums(units, sum, squares, { covariate });
  };

  it('decides where there is one: the adjusted comparison has the smaller error, and its own E', () => {
    const spend = {
      input: { key: 'spend', type: 'mean' as const, windowUs: 1, covariate: { lookbackUs: 1, whenMissing: 'zero' as const } },
    };
    const { figures, verdict } = ship({ metrics: [spend], cells: [[paired(1000, 100)], [paired(1000, 102)]] });
    const [result] = figures.metrics;
    const adjusted =
      result?.cuped !== null && result !== undefined && !('refused' in result.cuped) ? result.cuped.comparisons[0] : undefined;
    const [plain, cuped] = [result?.comparisons[0]?.anytime?.absolute, adjusted?.anytime?.absolute];
    if (plain === undefined || 'refused' in plain || cuped === undefined || 'refused' in cuped) throw new Error('no comparison');
    expect(cuped.logE).toBeGreaterThan(plain.logE + 5);
    expect(cuped.upper - cuped.lower).toBeLessThan((plain.upper - plain.lower) / 2);
    expect(verdict.verdict).toBe('go');
  });
});

describe('a history', () => {
  it('has one look whatever its method: no figures for any look, nothing latched', () => {
    const [sequential, fixed] = (['sequential', 'fixed-horizon'] as const).map((method) =>
      ship({ kind: 'historical', experiment: { plan: { method } } }),
    );
    expect(sequential?.verdict).toEqual(fixed?.verdict);
    expect(sequential?.figures).toEqual(fixed?.figures);
    expect(sequential?.figures.metrics[0]?.comparisons[0]?.anytime).toBeNull();
    expect(sequential?.figures.srm.anytime).toBeNull();
    expect(sequential?.latched).toEqual([]);
    // The plan document is evidence, and says something else.
    expect(sequential?.evidenceDigest).not.toBe(fixed?.evidenceDigest);
  });
});

describe('a run of a rollout', () => {
  it('has its share of α₋: run 1 half of it', () => {
    expect(ship().numbers['level/harm']).toBe('0.0125');
    const inRun = (run: number) => ship({ ramp: rampAt('half', { run, policy: 'ship' }) }).numbers['level/harm'];
    expect([inRun(1), inRun(2)]).toEqual(['0.00625', '0.003125']);
  });
});

describe('a step of a ramp', () => {
  const early = (change: Partial<ExampleLook> = {}) => ship({ knownUntilUs: onDay(1), ...change });
  const noGain = [good[0] ?? [], [ones(5000, 510), ones(5000, 4), spread(5000, 100, 20)]];

  it('asks whether anything is worse, without a minimum run, whatever the experiment asks', () => {
    expect(early({ cells: noGain }).verdict.verdict).toBe('continue');
    const { verdict, actions, plan } = early({ cells: noGain, ramp: rampAt('tenth') });
    expect([verdict.verdict, verdict.rule, actions.ramp]).toEqual(['go', 'nothing-is-worse', 'advance']);
    expect(plan.waits.map(({ what }) => what)).not.toContain('minimum-run');
  });

  it('asks what the experiment asks at the last one, after its minimum run', () => {
    const last = rampAt('all', { policy: 'ship' });
    expect(early({ ramp: last }).verdict.sentence).toContain('waits for the minimum run');
    expect(ship({ ramp: last }).verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    expect(ship({ ramp: last, cells: noGain }).verdict.verdict).toBe('continue');
  });
});

describe('what was made of what', () => {
  it('is numbers of 12 digits, sorted by name', () => {
    const { numbers } = ship();
    expect(Object.keys(numbers)).toEqual([...Object.keys(numbers)].sort());
    for (const text of Object.values(numbers)) expect(text).toBe(String(Number(Number(text).toPrecision(12))));
    expect(numbers).toMatchObject({
      'metric/converted/A/units': '5000',
      'test/crashed/B/erring/treatment': '4',
      'level/superiority': '0.05',
    });
  });

  it('has a digest of verdict, rule, crossings and numbers: equal in any order of the sums, another one with other numbers', () => {
    const { conclusionDigest } = ship();
    expect(conclusionDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(ship().conclusionDigest).toBe(conclusionDigest);
    const oneMore = [good[0] ?? [], [ones(5000, 621), ones(5000, 4), spread(5000, 100, 20)]];
    expect(ship({ cells: oneMore }).conclusionDigest).not.toBe(conclusionDigest);
    const crossed = { test: 'harm', metric: 'crashed', arm: 'B', knownUntilUs: 1, value: 9 } as const;
    expect(ship({ latchedBefore: [crossed] }).conclusionDigest).not.toBe(conclusionDigest);
  });

  it('has evidence that knows no watermark', () => {
    expect(ship({ knownUntilUs: onDay(9) }).evidenceDigest).toBe(ship().evidenceDigest);
  });
});
