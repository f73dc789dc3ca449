import { describe, expect, it } from '@jest/globals';
import { DEFINITIONS } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { MemoryEventStore, type Origin, type RampartEvent } from '@rampart/event-store';
import { DefinitionsPublisher } from './definitions.publisher.js';

const origin: Origin = { atUs: 7, actor: 'a', reason: null, requestId: null };
const project = (name: string): RampartEvent => ({ type: 'ProjectCreated', project: name, name, atUs: 7 });
const rotated = (hash: string): RampartEvent => ({ type: 'ApiKeyRotated', hash, atUs: 7 });
const aKey: RampartEvent = {
  type: 'ApiKeyCreated',
  id: 'k',
  hash: 'h0',
  role: 'admin',
  project: null,
  environment: null,
  name: 'n',
  atUs: 7,
};

const append = (store: MemoryEventStore, stream: string, expectedVersion: number, ...events: readonly RampartEvent[]) =>
  store.append({ stream, expectedVersion, events, origin });

/** Follows until all is published, as a process does that then ends. */
const publishAll = async (store: MemoryEventStore, log: EventLog) => {
  const publisher = new DefinitionsPublisher(store, log);
  const subscription = store.subscribe(publisher.subscriber);
  await subscription.caughtUp();
  await subscription.close();
};

/** Everything that was ever appended, superseded or not. */
const recording = () => {
  const appended: { key: string | null | undefined; value: unknown }[] = [];
  class Recording extends MemoryEventLog {
    failures = 0;
    refusals = 0;

    override async append(...[topic, messages]: Parameters<EventLog['append']>) {
      if (this.refusals-- > 0) throw new Error('the log is away');
      const answer = await super.append(topic, messages);
      appended.push(...messages.map(({ key, value }) => ({ key, value: JSON.parse(String(value)) })));
      // The process dies after the log has it and before the checkpoint is stored.
      if (this.failures-- > 0) throw new Error('killed');
      return answer;
    }
  }
  return { log: new Recording(), appended };
};

describe('the publisher', () => {
  it('begins with everything that was ever decided', async () => {
    const store = new MemoryEventStore();
    await append(store, 'project/a', 0, project('a'));
    await append(store, 'project/b', 0, project('b'));
    const { log, appended } = recording();
    await publishAll(store, log);
    expect(appended.map(({ key }) => key)).toEqual(['h/-/project/a/-/1', 'head/-/project/a/-', 'h/-/project/b/-/1', 'head/-/project/b/-']);
  });

  it('publishes once what it has a checkpoint for', async () => {
    const store = new MemoryEventStore();
    const { log, appended } = recording();
    await append(store, 'project/a', 0, project('a'));
    await publishAll(store, log);
    await append(store, 'project/b', 0, project('b'));
    await publishAll(store, log);
    expect(appended.map(({ key }) => key)).toEqual(['h/-/project/a/-/1', 'head/-/project/a/-', 'h/-/project/b/-/1', 'head/-/project/b/-']);
  });

  it('says nothing twice after a death between log and checkpoint, and each key keeps its order', async () => {
    const store = new MemoryEventStore();
    const { log, appended } = recording();
    log.failures = 1;
    await append(store, 'key/k', 0, aKey, rotated('h1'));
    await publishAll(store, log);
    await append(store, 'key/k', 2, rotated('h2'));
    await publishAll(store, log);
    const keys = appended.map(({ key, value }) => [key, (value as { revision?: number }).revision]);
    expect(keys).toEqual(
      [1, 2, 3].flatMap((revision) => [
        [`h/-/key/k/-/${revision}`, undefined],
        ['head/-/key/k/-', revision],
      ]),
    );
  });

  it('says nothing twice that another process said meanwhile and had no time to note', async () => {
    const store = new MemoryEventStore();
    const { log, appended } = recording();
    const [first, second] = [new DefinitionsPublisher(store, log), new DefinitionsPublisher(store, log)];
    await append(store, 'project/a', 0, project('a'));
    await first.subscriber.handle(await store.readAll(0, 10), undefined);
    await append(store, 'project/b', 0, project('b'));
    await second.subscriber.handle(await store.readAll(1, 10), undefined);
    await first.subscriber.handle(await store.readAll(1, 10), undefined);
    expect(appended.map(({ key }) => key)).toEqual(['h/-/project/a/-/1', 'head/-/project/a/-', 'h/-/project/b/-/1', 'head/-/project/b/-']);
  });

  it('leaves a key that never changes as it is, also when a newer program would word it otherwise', async () => {
    const store = new MemoryEventStore();
    await append(store, 'project/a', 0, project('a'));
    const { log, appended } = recording();
    await log.createTopic({ topic: DEFINITIONS, partitions: 1, compacted: true });
    await log.append(DEFINITIONS, [
      { partition: 0, key: 'h/-/project/a/-/1', value: JSON.stringify({ kind: 'project', value: { key: 'a' } }) },
    ]);
    await publishAll(store, log);
    expect(appended.map(({ key }) => key)).toEqual(['h/-/project/a/-/1', 'head/-/project/a/-']);
  });

  it('says what a dying append did not', async () => {
    const store = new MemoryEventStore();
    const { log, appended } = recording();
    await append(store, 'project/a', 0, project('a'));
    log.refusals = 2;
    await publishAll(store, log);
    expect(appended.map(({ key }) => key)).toEqual(['h/-/project/a/-/1', 'head/-/project/a/-']);
  });

  it('says each revision as it was then, also when it is late', async () => {
    const store = new MemoryEventStore();
    await append(store, 'key/k', 0, aKey);
    await append(store, 'key/k', 1, rotated('h1'));
    const { log, appended } = recording();
    await publishAll(store, log);
    const hashes = appended.flatMap(({ value }) =>
      (value as { value?: { hash: string } }).value ? [(value as { value: { hash: string } }).value.hash] : [],
    );
    expect(hashes).toEqual(['h0', 'h1']);
  });

  it('leaves the time when a definition became known, whatever is rebuilt', async () => {
    const store = new MemoryEventStore();
    await append(store, 'project/a', 0, project('a'));
    const { log } = recording();
    await publishAll(store, log);
    const known = async () => {
      const times: number[] = [];
      for await (const { knownAtUs } of log.readAll(DEFINITIONS)) times.push(knownAtUs);
      return times;
    };
    const before = await known();
    expect(await store.rebuild(new DefinitionsPublisher(store, log).subscriber)).toBe(1);
    expect(await known()).toEqual(before);
  });

  it('adds what the log lacks in a rebuild', async () => {
    const store = new MemoryEventStore();
    await append(store, 'project/a', 0, project('a'));
    await publishAll(store, recording().log);
    const { log, appended } = recording();
    expect(await store.rebuild(new DefinitionsPublisher(store, log).subscriber)).toBe(1);
    expect(appended.map(({ key }) => key)).toEqual(['h/-/project/a/-/1', 'head/-/project/a/-']);
  });
});
