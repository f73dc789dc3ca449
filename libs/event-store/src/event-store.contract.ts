/** What every event store must do; run for each adapter. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DomainError } from '@rampart/domain/errors';
import {
  type AppendRequest,
  type EventStore,
  type Origin,
  RequestRecorded,
  type StoredEvent,
  type Subscriber,
  type Subscription,
} from './event-store.js';

export interface StoreUnderTest {
  readonly store: EventStore;
  /** The same store as another process, or the same process after a restart, sees it. */
  reopened(): Promise<EventStore>;
  end(): Promise<void>;
}

const origin: Origin = { atUs: 1_700_000_000_000_000, actor: 'tester', reason: 'because', requestId: 'r1' };

const named = (name: string) => ({ type: 'ProjectCreated', project: 'p', name, atUs: origin.atUs }) as const;

const request = (stream: string, expectedVersion: number, ...names: readonly string[]): AppendRequest => ({
  stream,
  expectedVersion,
  events: names.map(named),
  origin,
});

const nameOf = ({ event }: StoredEvent): string => ('name' in event ? event.name : event.type);

/** Remembers what it was given. */
const collector = (name: string) => {
  const seen: StoredEvent[] = [];
  const subscriber: Subscriber<unknown> = {
    name,
    handle: async (events) => {
      seen.push(...events);
    },
    reset: async () => {
      seen.length = 0;
    },
  };
  return { seen, subscriber };
};

const codeOf = async (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'accepted',
    (error: DomainError) => error.code ?? error.name,
  );

export const eventStoreContract = (adapter: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`${adapter} as an event store`, () => {
    let test: StoreUnderTest;
    let store: EventStore;
    beforeEach(async () => {
      test = await create();
      store = test.store;
    });
    afterEach(() => test.end());

    describe('appending', () => {
      it('gives back what was stored, with who, when and why', async () => {
        expect(await store.append(request('a', 0, 'one', 'two'))).toBe(2);
        expect(await store.readStream('a')).toEqual([
          { ...origin, position: expect.any(Number), stream: 'a', version: 1, event: named('one') },
          { ...origin, position: expect.any(Number), stream: 'a', version: 2, event: named('two') },
        ]);
        expect(await store.readStream('b')).toEqual([]);
      });

      it('gives what came after a version', async () => {
        await store.append(request('a', 0, 'one', 'two'));
        await store.append(request('b', 0, 'other'));
        await store.append(request('a', 2, 'three'));
        expect((await store.readStream('a', 1)).map(nameOf)).toEqual(['two', 'three']);
        expect(await store.readStream('a', 3)).toEqual([]);
      });

      it('refuses what was decided on an older state, and on a newer one that never was', async () => {
        await store.append(request('a', 0, 'one'));
        expect(await codeOf(store.append(request('a', 0, 'again')))).toBe('revision-mismatch');
        expect(await codeOf(store.append(request('a', 7, 'ahead')))).toBe('revision-mismatch');
        expect((await store.readStream('a')).map(nameOf)).toEqual(['one']);
      });

      it('lets exactly one of many racers win', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, racer) => codeOf(store.append(request('a', 0, `racer ${racer}`)))),
        );
        expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'revision-mismatch')).toHaveLength(7);
        expect(await store.readStream('a')).toHaveLength(1);
      });

      it('keeps positions rising over all streams', async () => {
        await store.append(request('a', 0, 'one'));
        await store.append(request('b', 0, 'two', 'three'));
        await store.append(request('a', 1, 'four'));
        const all = await store.readAll(0, 10);
        expect(all.map(nameOf)).toEqual(['one', 'two', 'three', 'four']);
        const positions = all.map(({ position }) => position);
        expect(positions).toEqual([...positions].sort((x, y) => x - y));
        expect((await store.readAll(positions[1] ?? 0, 1)).map(nameOf)).toEqual(['three']);
      });
    });

    describe('recording a request', () => {
      const recorded = { scope: 's', key: 'k', digest: 'd', answer: '201' };

      it('keeps the answer with the events', async () => {
        await store.append({ ...request('a', 0, 'one'), request: recorded });
        expect(await store.recordedRequest('s', 'k')).toEqual(recorded);
        expect(await store.recordedRequest('other', 'k')).toBeUndefined();
      });

      it('stores nothing the second time', async () => {
        await store.append({ ...request('a', 0, 'one'), request: recorded });
        await expect(store.append({ ...request('a', 1, 'two'), request: recorded })).rejects.toThrow(RequestRecorded);
        expect((await store.readStream('a')).map(nameOf)).toEqual(['one']);
      });

      it('records nothing when the events are refused', async () => {
        await codeOf(store.append({ ...request('a', 5, 'one'), request: recorded }));
        expect(await store.recordedRequest('s', 'k')).toBeUndefined();
      });

      it('records a request that changed nothing', async () => {
        await store.append({ ...request('a', 0), request: recorded });
        expect(await store.recordedRequest('s', 'k')).toEqual(recorded);
        expect(await store.readAll(0, 10)).toEqual([]);
      });
    });

    describe('a subscription', () => {
      it('gets everything from the beginning, then what comes', async () => {
        await store.append(request('a', 0, 'before'));
        const { seen, subscriber } = collector('c');
        const subscription = store.subscribe(subscriber);
        await subscription.caughtUp();
        await store.append(request('b', 0, 'after'));
        await subscription.caughtUp();
        expect(seen.map(nameOf)).toEqual(['before', 'after']);
      });

      it('goes on from its checkpoint after a restart', async () => {
        await store.append(request('a', 0, 'one'));
        const first = store.subscribe(collector('c').subscriber);
        await first.caughtUp();
        await first.close();
        await store.append(request('a', 1, 'two'));
        const { seen, subscriber } = collector('c');
        const other = await test.reopened();
        await other.subscribe(subscriber).caughtUp();
        expect(seen.map(nameOf)).toEqual(['two']);
      });

      it('gets a batch again that failed, and says what the trouble is', async () => {
        const { seen, subscriber } = collector('c');
        let failures = 2;
        const troubles: unknown[] = [];
        const subscription = store.subscribe({
          ...subscriber,
          onTrouble: (error) => troubles.push(String(error)),
          handle: async (events, transaction) => {
            if (failures-- > 0) throw new Error('the log is away');
            await subscriber.handle(events, transaction);
          },
        });
        await store.append(request('a', 0, 'one'));
        await subscription.caughtUp();
        expect(seen.map(nameOf)).toEqual(['one']);
        expect(subscription.trouble()).toBeUndefined();
        expect(troubles).toEqual(['Error: the log is away', 'Error: the log is away']);
      });

      it('says so when it can\u2019t catch up', async () => {
        const { subscriber } = collector('c');
        let subscription: Subscription | undefined;
        await new Promise((resolve) => {
          const handle = () => Promise.reject(new Error('the log is away'));
          subscription = store.subscribe({ ...subscriber, handle, onTrouble: resolve });
          void store.append(request('a', 0, 'one'));
        });
        await expect(subscription?.caughtUp(100)).rejects.toThrow(/the log is away/);
        expect(subscription?.trouble()).toBe('the log is away');
      });

      it('loses nothing and keeps the order while many write', async () => {
        const { seen, subscriber } = collector('c');
        const subscription = store.subscribe(subscriber);
        const writers = Array.from({ length: 8 }, async (_, writer) => {
          for (let version = 0; version < 25; version++) await store.append(request(`w${writer}`, version, `${writer}/${version}`));
        });
        await Promise.all(writers);
        await subscription.caughtUp();
        expect(seen).toHaveLength(200);
        expect(seen.map(({ position }) => position)).toEqual((await store.readAll(0, 1000)).map(({ position }) => position));
        for (let writer = 0; writer < 8; writer++)
          expect(seen.filter(({ stream }) => stream === `w${writer}`).map(({ version }) => version)).toEqual(
            Array.from({ length: 25 }, (_, index) => index + 1),
          );
      });

      it('has one owner: two processes handle an event once', async () => {
        const one = collector('c');
        const two = collector('c');
        const subscriptions = [store.subscribe(one.subscriber), (await test.reopened()).subscribe(two.subscriber)];
        for (let version = 0; version < 20; version++) await store.append(request('a', version, `${version}`));
        await Promise.all(subscriptions.map((subscription) => subscription.caughtUp()));
        await sleep(20);
        expect([...one.seen, ...two.seen].map(nameOf).sort()).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`).sort());
      });
    });

    describe('a tail', () => {
      it('tells what is appended after it began, in order, in every process that asks', async () => {
        await store.append(request('a', 0, 'before'));
        const seen: string[][] = [[], []];
        const tails = [store, await test.reopened()].map((one, index) => one.tail((event) => seen[index]?.push(nameOf(event))));
        await Promise.all(tails.map(({ ready }) => ready));
        for (let version = 1; version < 20; version++) await store.append(request('a', version, `${version}`));
        const expected = Array.from({ length: 19 }, (_, index) => `${index + 1}`);
        for (let waited = 0; waited < 100 && seen.some(({ length }) => length < 19); waited++) await sleep(20);
        expect(seen).toEqual([expected, expected]);
        await Promise.all(tails.map((tail) => tail.close()));
        await store.append(request('a', 20, 'after'));
        await sleep(50);
        expect(seen[0]).toEqual(expected);
      });
    });

    describe('a rebuild', () => {
      it('gives what following gave', async () => {
        const { seen, subscriber } = collector('c');
        const subscription = store.subscribe(subscriber);
        for (let version = 0; version < 10; version++) await store.append(request('a', version, `${version}`));
        await subscription.caughtUp();
        const followed = [...seen];
        expect(await store.rebuild(subscriber)).toBe(10);
        expect(seen).toEqual(followed);
        await store.append(request('a', 10, 'after'));
        await subscription.caughtUp();
        expect(seen.map(nameOf).slice(-2)).toEqual(['9', 'after']);
      });
    });
  });
};
