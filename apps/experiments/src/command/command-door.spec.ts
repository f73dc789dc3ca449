import { describe, expect, it } from '@jest/globals';
import { type Decider, type ProjectEvent } from '@rampart/domain';
import { MemoryEventStore } from '@rampart/event-store';
import { AnswerSeal } from './answer-seal.js';
import { CommandDoor, type Envelope } from './command-door.js';
import { RememberedStreams } from './remembered-streams.js';

type Created = Extract<ProjectEvent, { type: 'ProjectCreated' }>;

/** Names in the order in which they were given. */
const names: Decider<readonly string[], string, Created> = {
  initialState: [],
  decide: (name, known) => (known.includes(name) ? [] : [{ type: 'ProjectCreated', project: 'p', name, atUs: 0 }]),
  evolve: (known, { name }) => [...known, name],
};
const envelope: Envelope = {
  origin: { atUs: 0, actor: 'a', reason: null, requestId: null },
  expectedRevision: null,
  idempotency: null,
  isDryRun: false,
};

class CountingStore extends MemoryEventStore {
  read = 0;

  override async readStream(stream: string, afterVersion?: number) {
    const events = await super.readStream(stream, afterVersion);
    this.read += events.length;
    return events;
  }
}

const give = (store: MemoryEventStore, remembered: RememberedStreams<readonly string[]>, command: string) =>
  new CommandDoor(store, new AnswerSeal('s')).execute({
    stream: 's',
    decider: names,
    command,
    envelope,
    remembered,
    document: (state) => state,
  });

describe('a stream that is remembered', () => {
  it('is decided as if it had been read, whoever wrote to it meanwhile, and each event is read once', async () => {
    const store = new CountingStore();
    const [ours, theirs] = [new RememberedStreams<readonly string[]>(), new RememberedStreams<readonly string[]>()];
    await give(store, ours, 'a');
    await give(store, theirs, 'b');
    await give(store, ours, 'c');
    expect(await give(store, ours, 'b')).toMatchObject({ isChanged: false, revision: 3 });
    expect(await give(store, ours, 'd')).toEqual({ isChanged: true, revision: 4, body: ['a', 'b', 'c', 'd'] });
    expect(store.read).toBe(1 + 3);
  });

  it('is read anew where the store knows less: it was restored from a backup', async () => {
    const remembered = new RememberedStreams<readonly string[]>();
    const lost = new MemoryEventStore();
    for (const name of ['a', 'b', 'c']) await give(lost, remembered, name);
    await give(lost, remembered, 'c');
    const restored = new MemoryEventStore();
    await give(restored, new RememberedStreams(), 'a');
    expect(await give(restored, remembered, 'd')).toEqual({ isChanged: true, revision: 2, body: ['a', 'd'] });
  });

  it('is forgotten when others were used after it', async () => {
    const remembered = new RememberedStreams<number>(2);
    for (const stream of ['one', 'two', 'one', 'three']) remembered.remember(stream, { revision: 1, state: 0 });
    expect(['one', 'two', 'three'].map((stream) => remembered.known(stream) !== undefined)).toEqual([true, false, true]);
  });
});
