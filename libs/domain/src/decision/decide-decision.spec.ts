import { describe, expect, it } from '@jest/globals';
import { fold } from '../decider.js';
import { scenario } from '../scenario.contract.js';
import type { Crossing } from '../verdict/latching.js';
import { decisionDecider } from './decide-decision.js';
import type { ChainedRecord, DecisionEvent } from './decision.js';

const { given } = scenario(decisionDecider);
const T0 = 1_767_225_600_000_000;
const harm: Crossing = { test: 'harm', metric: 'crashes', arm: 'green', knownUntilUs: T0 + 1, value: 7.5 };
const ratio: Crossing = { test: 'sample-ratio', metric: null, arm: null, knownUntilUs: T0 + 2, value: 9 };

const aRecord = (change: Partial<ChainedRecord> = {}): ChainedRecord => ({
  id: 'one',
  previous: null,
  knownUntilUs: T0 + 1,
  cause: 'verdict',
  latched: [],
  ...change,
});
const two = aRecord({ id: 'two', previous: 'one', knownUntilUs: T0 + 2 });
const record = (record: ChainedRecord, idOfParts = record.id) => ({ type: 'RecordDecision', record, idOfParts, atUs: T0 + 9 }) as const;
const recorded = (record: ChainedRecord): DecisionEvent => ({ type: 'DecisionRecorded', record, atUs: T0 + 9 });

describe('a comparison without records', () => {
  it('gets its first one, whole', () => {
    const whole = { ...aRecord(), verdict: { verdict: 'go' }, sums: [{ sum: '1' }] };
    given([])
      .when(record(whole))
      .then([recorded(whole)]);
  });
  it('gets none that continues another', () => {
    given([]).when(record(two)).thenRefuses('record-fork', 'two continues one, but there is no record yet');
  });
});

describe('a look that was taken', () => {
  const test = { test: 'superiority', metric: 'converted', arm: 'green', level: 0.05, estimate: 1, se: 1, statistic: 1 } as const;
  const look = { look: 1, looks: 2, knownUntilUs: T0 + 1, tests: [{ ...test, spent: 0.01, bound: 2.3, couldLose: null }] };
  const facts = [recorded(aRecord({ looks: [look] }))];
  const next = { look: 2, looks: 2, knownUntilUs: T0 + 2, tests: [] };

  it('is kept by every record after it', () => {
    given(facts)
      .when(record({ ...two, looks: [look, next] }))
      .then([recorded({ ...two, looks: [look, next] })]);
  });
  it('is neither left out nor told otherwise', () => {
    const told = { ...look, tests: look.tests.map((one) => ({ ...one, bound: 1.2 })) };
    given(facts).when(record(two)).thenRefuses('record-rewrites-looks', 'look 1 of 2');
    given(facts)
      .when(record({ ...two, looks: [told, next] }))
      .thenRefuses('record-rewrites-looks', 'a look that was taken stays as it was');
  });
});

describe('a chain of records', () => {
  const facts = [recorded(aRecord())];
  it('is continued by a later look that names the newest one', () => {
    given(facts)
      .when(record(two))
      .then([recorded(two)]);
    given([...facts, recorded(two)])
      .when(record(aRecord({ id: 'three', previous: 'two', knownUntilUs: T0 + 3 })))
      .then([recorded(aRecord({ id: 'three', previous: 'two', knownUntilUs: T0 + 3 }))]);
  });
  it('takes a record once, the newest one or an older one, however often it is proposed', () => {
    given(facts).when(record(aRecord())).then([]);
    given([...facts, recorded(two)])
      .when(record(aRecord()))
      .then([]);
  });
  it('refuses a fork, naming both', () => {
    given([...facts, recorded(two)])
      .when(record(aRecord({ id: 'late', previous: 'one', knownUntilUs: T0 + 9 })))
      .thenRefuses('record-fork', 'late continues one, but the newest one is two');
    given(facts)
      .when(record(aRecord({ id: 'again', knownUntilUs: T0 + 9 })))
      .thenRefuses('record-fork', 'again begins the chain, but the newest one is one');
  });
  it('refuses a look that knows no more than the newest, saying both moments', () => {
    for (const knownUntilUs of [T0, T0 + 1])
      given(facts)
        .when(record(aRecord({ id: 'old', previous: 'one', knownUntilUs })))
        .thenRefuses('record-older', /known until 2026-01-01T.*, the newest one, one, until 2026-01-01T/);
  });
});

describe('a comparison that is closed', () => {
  const facts = [recorded(aRecord())];
  const closing = aRecord({ id: 'closing', previous: 'one', cause: 'closing' });
  it('gets the last word as of its moment of closing, which looks may have gone beyond', () => {
    for (const knownUntilUs of [T0, T0 + 1, T0 + 2])
      given(facts)
        .when(record({ ...closing, knownUntilUs }))
        .then([recorded({ ...closing, knownUntilUs })]);
  });
  it('takes nothing back with it', () => {
    given([recorded(aRecord({ latched: [harm] }))])
      .when(record(closing))
      .thenRefuses('record-unlatches', /leaves out 1 of the 1 crossings/);
  });
});

describe('a record with crossings', () => {
  const facts = [recorded(aRecord({ latched: [harm] }))];
  it('is continued by one that holds them too, in any order, with new ones or without', () => {
    for (const latched of [[harm], [ratio, harm]])
      given(facts)
        .when(record({ ...two, latched }))
        .then([recorded({ ...two, latched })]);
  });
  it('is not continued by one that leaves one out or tells it otherwise', () => {
    given(facts)
      .when(record(two))
      .thenRefuses('record-unlatches', 'leaves out 1 of the 1 crossings that one holds, first harm of crashes of green at 2026-01-01');
    given(facts)
      .when(record({ ...two, latched: [{ ...harm, value: 7.6 }] }))
      .thenRefuses('record-unlatches');
  });
});

describe('a record under an id that is not made of its parts', () => {
  it('is refused before anything else, and named', () => {
    given([])
      .when(record(aRecord(), 'other'))
      .thenRefuses('record-id-differs', /one, but .* make other/);
    given([recorded(aRecord())])
      .when(record(aRecord(), 'other'))
      .thenRefuses('record-id-differs');
  });
});

describe('a chain', () => {
  it('knows its ids and its newest record, and keeps no evidence in memory', () => {
    const whole = { ...two, sums: [1, 2, 3] };
    expect(fold(decisionDecider, [recorded(aRecord()), recorded(whole)])).toEqual({ ids: ['one', 'two'], newest: two });
  });
});
