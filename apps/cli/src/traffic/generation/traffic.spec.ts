import { describe, expect, it } from '@jest/globals';
import { cloudEvent } from '@rampart/contracts';
import { exampleScenario } from '../scenario/scenario.examples.js';
import { hashPoint } from './assignment.js';
import { lengthSeconds, type TimedEvent, trafficOf } from './traffic.js';

const UNITS = 8_000;
const START_US = Date.UTC(2026, 4, 1) * 1000;
const all = (parts: object = {}, seed = 1): readonly TimedEvent[] => [...trafficOf(exampleScenario(parts), seed, START_US)];
const exposures = (events: readonly TimedEvent[]) => events.filter(({ kind }) => kind === 'exposure');
const secondsIn = ({ atUs }: TimedEvent) => (atUs - START_US) / 1e6;
const variantOf = ({ unit }: TimedEvent) => unit.assignments[0]?.variant;
const unitsOf = (events: readonly TimedEvent[], variant?: string) =>
  new Set(events.filter((one) => variant === undefined || variantOf(one) === variant).map(({ unit }) => unit.index));

/** Five standard errors of a share. */
const expectShare = (hits: number, of: number, share: number) =>
  expect(Math.abs(hits / of - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / of));

const armsWith = (effects: readonly object[]) => ({
  experiments: [{ key: 'button', arms: [{ variant: 'control' }, { variant: 'treatment', effects }] }],
});

describe('the same scenario, seed and start', () => {
  const busy = {
    units: 500,
    sending: {
      shuffleSeconds: 3,
      twice: { share: 0.3, otherContent: 0.5 },
      clock: { share: 0.5, offset: { distribution: 'normal', mean: 0, sd: 60 } },
      late: [{ share: 0.2, by: { distribution: 'exponential', mean: 10 } }],
    },
  };

  it('give the same events, ids too', () => {
    expect(all(busy)).toEqual(all(busy));
  });

  it('share no id with another seed or start', () => {
    const ids = new Set(all(busy).map(({ event }) => event.id));
    const others = [...all(busy, 2), ...trafficOf(exampleScenario(busy), 1, START_US + 1_000_000)];
    expect(others.filter(({ event }) => ids.has(event.id))).toEqual([]);
  });

  it('change nothing about what was there before when an event is added', () => {
    const more = { ...busy, sending: {}, events: [{ name: 'visit' }, { name: 'purchase', probability: 0.2, value: 1 }] };
    const fewer = { ...more, events: [{ name: 'purchase', probability: 0.2, value: 1 }] };
    const purchases = (parts: object) => all(parts).flatMap((one) => (one.name === 'purchase' ? [[one.unit.id, one.sendAtUs]] : []));
    expect(purchases(more)).toEqual(purchases(fewer));
  });
});

describe('every event', () => {
  const events = all({
    units: 2_000,
    properties: { way: { proxy: 0.5 } },
    events: [
      { name: 'purchase', value: { distribution: 'lognormal', mean: 40, sd: 30 } },
      { name: 'rating', type: 'feedback', value: 5, probability: 0.5 },
    ],
    experiments: [
      { key: 'a', assignment: 'hash', sendsAssignments: true, arms: [{ variant: 'x' }, { variant: 'y' }] },
      { key: 'b', arms: [{ variant: 'x' }, { variant: 'y' }], twoArms: { share: 0.2 } },
    ],
    sending: { twice: { share: 0.1, otherContent: 1 }, shuffleSeconds: 4 },
  });

  it('keeps the contract', () => {
    const wrong = events.flatMap(({ event }) => cloudEvent.safeParse(JSON.parse(JSON.stringify(event))).error?.issues ?? []);
    expect(wrong).toEqual([]);
    expect(new Set(events.map(({ event }) => event.type))).toEqual(new Set(['assignment.v1', 'exposure.v1', 'metric.v1', 'feedback.v1']));
  });

  it('has an id of its own, but for repeats', () => {
    const first = events.filter(({ isRepeat }) => !isRepeat);
    expect(new Set(first.map(({ event }) => event.id)).size).toBe(first.length);
    expect(events.length).toBeGreaterThan(first.length);
  });

  it('is sent in order, never before it happened', () => {
    expect(events.every(({ sendAtUs }, index) => sendAtUs >= (events[index - 1]?.sendAtUs ?? 0))).toBe(true);
    expect(events.every(({ sendAtUs, atUs }) => sendAtUs >= atUs)).toBe(true);
  });
});

describe('arms', () => {
  it.each(['hash', 'external'])('are given by weight (%s)', (assignment) => {
    const seen = exposures(all({ experiments: [{ key: 'b', assignment, arms: [{ variant: 'x', weight: 3 }, { variant: 'y' }] }] }));
    expect(seen).toHaveLength(UNITS);
    expectShare(seen.filter((one) => variantOf(one) === 'x').length, UNITS, 0.75);
    expect(new Set(seen.map(({ event }) => (event.data as { reason?: string }).reason))).toEqual(
      new Set([assignment === 'hash' ? 'SPLIT' : undefined]),
    );
  });

  it('are found by the published hash', () => {
    expect([hashPoint('seed', 'a'), hashPoint('foo', 'def'), hashPoint('90850943850283058242805', '123')]).toEqual([
      0.0505, 0.2019, 0.7516,
    ]);
  });

  it('move nobody when the coverage rises', () => {
    const variants = (coverage: number) =>
      new Map(
        exposures(all({ experiments: [{ key: 'b', assignment: 'hash', coverage, arms: [{ variant: 'x' }, { variant: 'y' }] }] })).map(
          (one) => [one.unit.id, variantOf(one)],
        ),
      );
    const [few, many] = [variants(0.1), variants(0.5)];
    expectShare(few.size, UNITS, 0.1);
    expectShare(many.size, UNITS, 0.5);
    expect([...few].filter(([unit, variant]) => many.get(unit) !== variant)).toEqual([]);
  });

  it('are chosen by some units, and seen both by others', () => {
    const choices = [{ reason: 'USER_CHANNEL', share: 0.1, variant: 'treatment' }];
    const experiments = [
      { key: 'button', arms: [{ variant: 'control' }, { variant: 'treatment' }], choices, twoArms: { share: 0.05, after: 2 } },
    ];
    const seen = exposures(all({ experiments }));
    const first = seen.filter(({ event }) => event.id.endsWith('-x0'));
    expectShare(first.filter(({ unit }) => unit.assignments[0]?.reason === 'USER_CHANNEL').length, UNITS, 0.1);
    expectShare(seen.length - first.length, UNITS, 0.05);
    const crossed = seen.filter(({ event }) => event.id.endsWith('-y0'));
    expect(crossed.every((one) => (one.event.data as { variant?: string }).variant !== variantOf(one))).toBe(true);
  });

  it('may be given by somebody else', () => {
    const scenario = exampleScenario({ units: 10 });
    const assign = () => ({ variant: 'treatment', reason: 'STATIC' as const });
    const events = [...trafficOf(scenario, 1, START_US, { assign })].filter(({ kind }) => kind === 'exposure');
    expect(events.map(({ event }) => event.data)).toEqual(
      Array.from({ length: 10 }, () => expect.objectContaining({ variant: 'treatment', reason: 'STATIC' })),
    );
  });
});

describe('effects', () => {
  it('change the probability of one arm', () => {
    const events = all(armsWith([{ event: 'purchase', probability: { relative: 0.5 } }]));
    for (const [variant, share] of [
      ['control', 0.2],
      ['treatment', 0.3],
    ] as const)
      expectShare(
        unitsOf(
          events.filter(({ name }) => name === 'purchase'),
          variant,
        ).size,
        unitsOf(events, variant).size,
        share,
      );
  });

  it('change the mean of the values, and leave their spread', () => {
    const events = all(armsWith([{ event: 'purchase', value: { absolute: 5 } }]));
    for (const [variant, mean] of [
      ['control', 50],
      ['treatment', 55],
    ] as const) {
      const values = events.flatMap((one) =>
        one.event.type === 'metric.v1' && variantOf(one) === variant ? [one.event.data.value ?? Number.NaN] : [],
      );
      const seen = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(Math.abs(seen - mean)).toBeLessThan(5 * (10 / Math.sqrt(values.length)));
    }
  });

  it('of several experiments add up on one unit', () => {
    const arms = [{ variant: 'on', effects: [{ event: 'purchase', probability: { absolute: 0.1 } }] }];
    const events = all({ experiments: ['a', 'b', 'c'].map((key) => ({ key, arms })) });
    expectShare(events.filter(({ kind }) => kind === 'event').length, UNITS, 0.5);
  });

  it('begin and end for the units that arrive in between', () => {
    const events = all(armsWith([{ event: 'purchase', probability: { absolute: 0.5 }, fromSeconds: 20, untilSeconds: 40 }]));
    const treated = events.filter((one) => variantOf(one) === 'treatment');
    for (const [from, until, expected] of [
      [0, 20, 0.2],
      [20, 40, 0.7],
      [40, 1_000, 0.2],
    ] as const) {
      const within = treated.filter(({ unit }) => unit.arrivedSeconds >= from && unit.arrivedSeconds < until);
      expectShare(within.filter(({ kind }) => kind === 'event').length, exposures(within).length, expected);
    }
  });
});

describe('crashes', () => {
  const crash = { name: 'crash', probability: 0.1, count: { distribution: 'geometric', mean: 8 }, delay: 1, spacing: 0.5 };

  it('come in clusters, each after the one before', () => {
    const crashes = all({ events: [crash] }).filter(({ kind }) => kind === 'event');
    const erring = unitsOf(crashes).size;
    expectShare(erring, UNITS, 0.1);
    expect(Math.abs(crashes.length / erring - 8)).toBeLessThan(5 * Math.sqrt((8 * 7) / erring));
    const [first, second] = crashes.filter(({ unit }) => unit.index === crashes[0]?.unit.index);
    expect((first?.atUs ?? 0) + 500_000).toBe(second?.atUs ?? crashes[0]?.atUs);
  });

  it('before the exposure leave nothing but the assignment', () => {
    const arms = [{ variant: 'control' }, { variant: 'treatment' }];
    const events = all({
      events: [{ ...crash, beforeExposure: 0.5 }, { name: 'visit' }],
      experiments: [{ key: 'button', arms, sendsAssignments: true, exposureDelay: 10 }],
    });
    expect(unitsOf(events.filter(({ kind }) => kind === 'assignment')).size).toBe(UNITS);
    const exposed = unitsOf(exposures(events));
    expectShare(UNITS - exposed.size, UNITS, 0.05);
    const unexposed = events.filter(({ unit }) => !exposed.has(unit.index));
    expect(new Set(unexposed.map(({ name }) => name))).toEqual(new Set(['button', 'crash']));
    expect(
      exposures(events).every((one) => one.atUs - START_US >= 10_000_000 + Math.floor(one.unit.arrivedSeconds * 1000) * 1000 - 1000),
    ).toBe(true);
  });
});

describe('on the way', () => {
  it('reports overtake each other within the horizon', () => {
    const events = all({ sending: { shuffleSeconds: 5 } });
    const delays = events.map(({ sendAtUs, atUs }) => sendAtUs - atUs);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5_001_000);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(Math.abs(mean - 2_500_000)).toBeLessThan(5 * (5_000_000 / Math.sqrt(12 * delays.length)) + 1000);
    expect(events.some(({ atUs }, index) => atUs < (events[index - 1]?.atUs ?? 0))).toBe(true);
  });

  it('some are late, of the kind that is named', () => {
    const events = all({ sending: { late: [{ share: 0.25, by: 7_200, what: 'event' }] } });
    const isLate = ({ sendAtUs, atUs }: TimedEvent) => sendAtUs - atUs >= 7_200_000_000;
    const purchases = events.filter(({ kind }) => kind === 'event');
    expectShare(purchases.filter(isLate).length, purchases.length, 0.25);
    expect(exposures(events).filter(isLate)).toEqual([]);
  });

  it('some are sent twice under one id, some of these with other content', () => {
    const events = all({ sending: { twice: { share: 0.2, after: 3, otherContent: 0.5 } } });
    const repeats = events.filter(({ isRepeat }) => isRepeat);
    const first = new Map(events.filter(({ isRepeat }) => !isRepeat).map((one) => [one.event.id, one]));
    expectShare(repeats.length, first.size, 0.2);
    const others = repeats.filter(({ event }) => JSON.stringify(event) !== JSON.stringify(first.get(event.id)?.event));
    expectShare(others.length, repeats.length, 0.5);
    expect(repeats.every((one) => one.sendAtUs >= (first.get(one.event.id)?.sendAtUs ?? Number.POSITIVE_INFINITY))).toBe(true);
  });

  it('exposures of one arm are lost where a hop loses them', () => {
    const lost = [{ experiment: 'button', variant: 'treatment', share: 0.5, where: { way: 'proxy' } }];
    const scenario = exampleScenario({ properties: { way: { direct: 0.6, proxy: 0.4 } }, sending: { lost } });
    const traffic = trafficOf(scenario, 1, START_US);
    const seen = exposures([...traffic]);
    const counted = (way: string, variant: string) =>
      seen.filter((one) => one.unit.properties.way === way && variantOf(one) === variant).length;
    const proxied = counted('proxy', 'control');
    expect(traffic.lost).toBe(UNITS - seen.length);
    // Two independent counts: variances add up.
    expect(Math.abs(counted('proxy', 'treatment') - proxied / 2)).toBeLessThan(5 * Math.sqrt(proxied / 2 + proxied / 4));
    expect(Math.abs(counted('direct', 'treatment') - counted('direct', 'control'))).toBeLessThan(
      5 * Math.sqrt(2 * counted('direct', 'control')),
    );
  });

  it('a wrong clock moves the time that is said, not the true one', () => {
    const events = all({ units: 2_000, sending: { clock: { share: 0.3, offset: 3_600 } } });
    const wrong = events.filter(({ event, atUs }) => Date.parse(event.time ?? '') * 1000 !== atUs);
    expectShare(unitsOf(wrong).size, 2_000, 0.3);
    expect(new Set(wrong.map(({ event, atUs }) => Date.parse(event.time ?? '') * 1000 - atUs))).toEqual(new Set([3_600_000_000]));
    expect(new Set(wrong.map(({ sentAtAheadUs }) => sentAtAheadUs))).toEqual(new Set([3_600_000_000]));
  });
});

describe('time', () => {
  it('runs faster in the events too', () => {
    const parts = { units: 1_000, events: [{ name: 'purchase', delay: 30 }] };
    const slow = all(parts);
    const fast = [...trafficOf(exampleScenario(parts), 1, START_US, { speed: 10 })];
    expect(fast.map(({ event }) => event.id)).toEqual(slow.map(({ event }) => event.id));
    const worst = Math.max(...fast.map((one, index) => Math.abs(secondsIn(one) * 10 - secondsIn(slow[index] ?? one))));
    expect(worst).toBeLessThan(0.011);
    expect(() => trafficOf(exampleScenario(), 1, START_US, { speed: 0 })).toThrow('speed must be above 0, got 0');
  });

  it('ends when the last consequence is nearly certainly sent', () => {
    const parts = {
      units: 5_000,
      events: [{ name: 'purchase', delay: { distribution: 'exponential', mean: 20 } }],
      sending: { shuffleSeconds: 2 },
    };
    const length = lengthSeconds(exampleScenario(parts));
    const events = all(parts);
    expect(events.filter(({ sendAtUs }) => sendAtUs - START_US > length * 1e6).length / events.length).toBeLessThan(0.001);
    expect(lengthSeconds(exampleScenario({ units: undefined }))).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps in memory only what units that have arrived still do', () => {
    const traffic = trafficOf(exampleScenario({ events: [{ name: 'purchase', delay: 10 }] }), 1, START_US);
    let most = 0;
    for (const _ of traffic) most = Math.max(most, traffic.ahead);
    // 100 arrivals a second whose one event lies ten seconds ahead.
    expect(Math.abs(most - 1_000)).toBeLessThan(6 * Math.sqrt(1_000));
  });
});
