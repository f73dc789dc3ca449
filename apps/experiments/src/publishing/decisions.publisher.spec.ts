import { describe, expect, it } from '@jest/globals';
import { comparisonKey, DECISIONS, type DecisionRecord, type RecordedDecision } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { MemoryEventStore, type Origin } from '@rampart/event-store';
import { after, aRecord } from '../evidence/records.examples.js';
import { decisionStream } from '../streams.js';
import { DecisionsPublisher } from './decisions.publisher.js';

const origin: Origin = { atUs: 7, actor: 'a', reason: null, requestId: null };
const record = async (store: MemoryEventStore, expectedVersion: number, record: DecisionRecord) =>
  store.append({
    stream: decisionStream(record),
    expectedVersion,
    events: [{ type: 'DecisionRecorded', record, atUs: 7 }],
    origin,
  });

/** Follows until all is told, as a process does that then ends. */
const tellAll = async (store: MemoryEventStore, log: EventLog) => {
  const subscription = store.subscribe(new DecisionsPublisher(store, log).subscriber);
  await subscription.caughtUp();
  await subscription.close();
};

/** A log whose appends may be refused, or succeed without an answer. */
class FailingLog extends MemoryEventLog {
  refused = 0;
  unanswered = 0;

  override async append(...[topic, messages]: Parameters<EventLog['append']>) {
    if (this.refused-- > 0) throw new Error('the log is away');
    const answer = await super.append(topic, messages);
    if (this.unanswered-- > 0) throw new Error('killed');
    return answer;
  }
}

const told = async (log: EventLog): Promise<readonly (RecordedDecision & { readonly key: string | null })[]> => {
  const found = [];
  for await (const { key, value } of log.readAll(DECISIONS)) found.push({ ...JSON.parse(String(Buffer.from(value ?? []))), key });
  return found;
};
const idsIn = async (log: EventLog) => (await told(log)).map((decision) => decision.record.id);

const one = aRecord();
const two = after(one);
const other = aRecord({ experiment: 'other' });

describe('the publisher of decisions', () => {
  it('tells every record whole, in the order of the store, and nothing else of it', async () => {
    const store = new MemoryEventStore();
    await store.append({
      stream: 'project/p',
      expectedVersion: 0,
      events: [{ type: 'ProjectCreated', project: 'p', name: 'p', atUs: 7 }],
      origin,
    });
    await record(store, 0, one);
    await record(store, 0, other);
    await record(store, 1, two);
    const log = new MemoryEventLog();
    await tellAll(store, log);
    expect(await told(log)).toEqual([
      { key: comparisonKey(one), record: one, recordedAtUs: 7, revision: 1 },
      { key: comparisonKey(other), record: other, recordedAtUs: 7, revision: 1 },
      { key: comparisonKey(two), record: two, recordedAtUs: 7, revision: 2 },
    ]);
  });

  it('tells nothing twice that the log has, though nobody answered', async () => {
    const store = new MemoryEventStore();
    await record(store, 0, one);
    await record(store, 1, two);
    const log = new FailingLog();
    log.unanswered = 1;
    await tellAll(store, log);
    expect(await idsIn(log)).toEqual([one.id, two.id]);
  });

  it('goes on with what a log that was away did not take', async () => {
    const store = new MemoryEventStore();
    await record(store, 0, one);
    const log = new FailingLog();
    log.refused = 3;
    await tellAll(store, log);
    await record(store, 1, two);
    await tellAll(store, log);
    expect(await idsIn(log)).toEqual([one.id, two.id]);
  });

  it('adds in a rebuild what the log lacks, and only that', async () => {
    const store = new MemoryEventStore();
    await record(store, 0, one);
    const log = new MemoryEventLog();
    await tellAll(store, log);
    await log.append(DECISIONS, [{ partition: 0, value: 'garbage' }]);
    await store.rebuild(new DecisionsPublisher(store, log).subscriber);
    expect((await log.offsets(DECISIONS))[0]?.end).toBe(2);
    const lost = new MemoryEventLog();
    await record(store, 1, two);
    await store.rebuild(new DecisionsPublisher(store, lost).subscriber);
    expect(await idsIn(lost)).toEqual([one.id, two.id]);
  });

  it('tells in a rebuild what lies far behind the end of the log only once', async () => {
    const store = new MemoryEventStore();
    const log = new MemoryEventLog();
    let newest = one;
    for (let version = 0; version < 1_200; version++) {
      await record(store, version, newest);
      newest = { ...newest, id: version.toString(16).padStart(64, '0'), previous: newest.id, knownUntilUs: newest.knownUntilUs + 1 };
    }
    await tellAll(store, log);
    await store.rebuild(new DecisionsPublisher(store, log).subscriber);
    expect((await log.offsets(DECISIONS))[0]?.end).toBe(1_200);
  });
});
