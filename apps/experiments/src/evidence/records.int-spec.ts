import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, DECISIONS, type DeadLetter, type DecisionRecord, RECORD_PROPOSALS, type RecordedDecision } from '@rampart/contracts';
import { type EventLog } from '@rampart/event-log';
import { EventStore } from '@rampart/event-store';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';
import { decisionStream } from '../streams.js';
import { after, aRecord, logOf, propose } from './records.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;
let log: EventLog;

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url);
  log = logOf(plane);
  await eventually('it is ready', async () => ((await plane.call('GET', '/readyz')).status === 200 ? true : undefined));
}, 60_000);

afterAll(async () => {
  await plane?.close();
  await database?.drop();
});

const contents = async <Value>(topic: string): Promise<readonly Value[]> => {
  const found: Value[] = [];
  for await (const { value } of log.readAll(topic)) if (value !== null) found.push(JSON.parse(Buffer.from(value).toString('utf8')));
  return found;
};
const decisionsOf = async (experiment: string) =>
  (await contents<RecordedDecision>(DECISIONS)).filter(({ record }) => record.experiment === experiment);
const told = (record: DecisionRecord) =>
  eventually(`${record.cause} is in decisions.v1`, async () =>
    (await decisionsOf(record.experiment)).find((decision) => decision.record.id === record.id),
  );
const events = (record: DecisionRecord) => plane.app.get(EventStore, { strict: false }).readStream(decisionStream(record));
const figure = async (line: string): Promise<number> => {
  const text = await (await fetch(`${await plane.app.getUrl()}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((found) => found.startsWith(line))
      ?.split(' ')
      .at(-1) ?? 0,
  );
};
const refused = (code: string) => figure(`rampart_records_refused_total{code="${code}"`);

describe('a proposed record', () => {
  it('is appended whole and told to everybody', async () => {
    const record = aRecord({ experiment: 'whole' });
    await propose(log, record);
    const decision = await told(record);
    expect(decision).toEqual({ record, recordedAtUs: expect.any(Number), revision: 1 });
    expect((await events(record)).map(({ event, actor, reason }) => [event.type, actor, reason])).toEqual([
      ['DecisionRecorded', 'analysis', 'first'],
    ]);
  });

  it('continues the one before it, also within one batch', async () => {
    const first = aRecord({ experiment: 'chain' });
    const second = after(first, { cause: 'verdict' });
    const third = after(second);
    await propose(log, first, second, third);
    await told(third);
    expect((await decisionsOf('chain')).map(({ record, revision }) => [record.id, revision])).toEqual([
      [first.id, 1],
      [second.id, 2],
      [third.id, 3],
    ]);
  });

  it('is one event and one message, however often it is proposed', async () => {
    const first = aRecord({ experiment: 'repeated' });
    const second = after(first);
    await propose(log, first, first, second, first, second);
    await propose(log, first);
    const last = after(second);
    await propose(log, last);
    await told(last);
    expect(await events(first)).toHaveLength(3);
    expect((await decisionsOf('repeated')).map(({ revision }) => revision)).toEqual([1, 2, 3]);
  });

  it('of another comparison has a chain of its own; stages of one share theirs', async () => {
    const first = aRecord({ experiment: 'stages', stage: 'ten' });
    const next = after(first, { stage: 'fifty' });
    const other = aRecord({ experiment: 'stages', stage: 'ten', comparison: 2 });
    await propose(log, first, next, other);
    await told(other);
    expect((await events(first)).length).toBe(2);
    expect((await events(other)).length).toBe(1);
  });
});

describe('a proposal that does not continue its chain', () => {
  it.each([
    ['record-fork', (first: DecisionRecord) => after(first, { previous: null })],
    ['record-older', (first: DecisionRecord) => after(first, { knownUntilUs: first.knownUntilUs - 1 })],
    ['record-unlatches', (first: DecisionRecord) => after(first, { latched: [] })],
    ['record-id-differs', (first: DecisionRecord) => ({ ...after(first), knownUntilUs: first.knownUntilUs + 7 })],
  ] as const)('is counted as %s, dropped, and stops nobody', async (code, change) => {
    const latched = [{ test: 'harm', metric: 'converted', arm: 'green', knownUntilUs: 1, value: 7.25 }] as const;
    const first = aRecord({ experiment: code, latched });
    const before = await refused(code);
    const next = after(first);
    await propose(log, first, change(first), next);
    await told(next);
    expect(await refused(code)).toBe(before + 1);
    expect((await decisionsOf(code)).map(({ record }) => record.id)).toEqual([first.id, next.id]);
  });

  it('that can’t be stored is refused too', async () => {
    const nul = aRecord({ experiment: 'nul', seenEvents: ['a\u0000b'] });
    const next = aRecord({ experiment: 'nul' });
    await propose(log, nul, after(next, { cause: 'closing' }), next);
    await told(next);
    expect(await refused('text-not-storable')).toBe(1);
  });
});

describe('a message that is no proposal', () => {
  it('is set aside with its reason, and the next one is recorded', async () => {
    const good = aRecord({ experiment: 'garbage' });
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const garbage: readonly (readonly [string | null, RegExp])[] = [
      ['{', /not JSON/],
      [null, /empty/],
      ['null', /\/: /],
      [JSON.stringify({ record: { ...good, verdict: undefined } }), /\/record\/verdict: /],
      [JSON.stringify({ record: { ...good, id: 'x' } }), /\/record\/id: must be 64 hex digits/],
      [JSON.stringify({ record: { ...good, project: '../other' } }), /\/record\/project: /],
      [JSON.stringify({ record: { ...good, experiment: 'another' } }), /is "another", but the definition tells of "garbage"/],
      [
        JSON.stringify({ record: { ...good, definition: { ...good.definition, experiment: { key: 'garbage' } } } }),
        /definition\/experiment/,
      ],
      [
        `{"record": ${JSON.stringify(good).replace('"value"', '"value"').replace('"latched":[]', '"latched":[{"test":"go","metric":null,"arm":null,"knownUntilUs":1,"value":1e999}]')}}`,
        /latched\/0\/value/,
      ],
      [`{"record": ${JSON.stringify({ ...good, extra: 0 }).replace('"extra":0', `"extra":${deep}`)}}`, /nested deeper/],
      [JSON.stringify({ record: { ...good, extra: 'x'.repeat(8 * 2 ** 20) } }), /bytes, a record at most 8388608/],
    ];
    const before = (await contents<DeadLetter>(DEAD_LETTERS)).length;
    await log.append(
      RECORD_PROPOSALS,
      garbage.map(([value]) => ({ partition: 0, value })),
    );
    await propose(log, good);
    await told(good);
    const letters = (await contents<DeadLetter>(DEAD_LETTERS)).slice(before);
    expect(letters.map(({ code }) => code)).toEqual(garbage.map(() => 'unreadable-proposal'));
    letters.forEach((letter, index) => {
      expect(letter.message).toMatch(garbage[index]?.[1] ?? /never/);
    });
    expect(await figure('rampart_records_unreadable_total')).toBe(garbage.length);
  });
});
