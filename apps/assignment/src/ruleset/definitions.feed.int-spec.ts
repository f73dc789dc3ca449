import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFINITIONS, FIRST_KNOWN_HEADER, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog, type OutgoingMessage, startTicks } from '@rampart/event-log';
import { open, type RootDatabase } from 'lmdb';
import { DiskRoom } from '../exposures/disk-room.js';
import { basics, eventually, published, temporaryFolder } from '../running/started-assignment.examples.js';
import { DefinitionsFeed } from './definitions.feed.js';
import { KeptDefinitions } from './kept-definitions.js';
import { experiment, feature, state } from './published.examples.js';
import type { PublishedDefinition } from './published-definition.js';

const STALE_AFTER_MS = 2_000;
const SECRET = 'the secret of this spec';

let folder: string;
let environment: RootDatabase;
let room: DiskRoom;
let feed: DefinitionsFeed | undefined;
const troubles: string[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  environment = open({ path: folder, maxDbs: 8 });
  room = new DiskRoom(folder);
});
afterEach(async () => {
  await feed?.close();
  await environment.close();
  rmSync(folder, { recursive: true, force: true });
  troubles.length = 0;
});

const opened = (kept = new KeptDefinitions(environment, SECRET, room)): DefinitionsFeed => {
  const made = new DefinitionsFeed(kept, {
    staleAfterMs: STALE_AFTER_MS,
    onTrouble: (_, what) => troubles.push(what),
  });
  made.restore();
  return made;
};
const logOf = async (messages: readonly OutgoingMessage[]): Promise<MemoryEventLog> => {
  const log = new MemoryEventLog();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
  if (messages.length > 0) await log.append(DEFINITIONS, messages);
  return log;
};
const checkout = published({ kind: 'feature', version: 1, value: feature() }, 'checkout');
const running = [
  published({ kind: 'experiment', version: 1, value: experiment() }, 'faster-checkout'),
  published({ kind: 'experiment-state', revision: 1, value: state() }, 'faster-checkout', 'production'),
];
const ready = (one: DefinitionsFeed) => eventually('it is ready', async () => (one.whyUnready() === undefined ? true : undefined));
const experimentsIn = (one: DefinitionsFeed) => one.rulesets.of('shop', 'production').definitions.experiments?.map(({ key }) => key);

describe('what is kept on disk', () => {
  const [name, mark] = ['ann.of-the-override', { lastKnownAtUs: 7, isComplete: true }];
  const named = { slot: 's', value: { name } } as unknown as PublishedDefinition;

  it('is not there in clear, and not read under another secret', async () => {
    await new KeptDefinitions(environment, SECRET, room).keep(new Map([['s', named]]), mark);
    await environment.flushed;
    expect(readFileSync(join(folder, 'data.mdb')).includes(name)).toBe(false);
    expect(new KeptDefinitions(environment, SECRET, room).read()).toEqual({ definitions: [named], mark });
    expect(new KeptDefinitions(environment, 'another secret', room).read()).toBeUndefined();
  });

  it('by a version that kept it in clear is read, and taken over', async () => {
    const clear = environment.openDB({ name: 'definitions', encoding: 'json' });
    await clear.put('s', named);
    await environment.openDB({ name: 'marks', encoding: 'json' }).put('mark', mark);
    const kept = new KeptDefinitions(environment, SECRET, room);
    expect(kept.read()?.definitions).toEqual([named]);
    await kept.keep(new Map(), mark);
    expect([clear.getCount(), kept.read()?.definitions]).toEqual([0, [named]]);
    await kept.keep(new Map([['s', null]]), mark);
    expect(kept.read()?.definitions).toEqual([]);
  });
});

describe('the feed', () => {
  it('answers nothing before it has read everything once, and then also without a log', async () => {
    feed = opened();
    expect([feed.canAnswer, feed.whyUnready()]).toEqual([false, expect.stringMatching(/nothing to answer from/)]);
    feed.follow(await logOf([...basics(), checkout, ...running]));
    await ready(feed);
    const before = feed.rulesets.of('shop', 'production');
    await feed.close();

    feed = opened();
    expect(feed.whyUnready()).toBeUndefined();
    expect(feed.rulesets.of('shop', 'production').version).toBe(before.version);
    expect(experimentsIn(feed)).toEqual(['faster-checkout']);
  });

  it('lets go of what the log does not hold any more, on the disk, too', async () => {
    feed = opened();
    feed.follow(await logOf([...basics(), checkout, ...running]));
    await ready(feed);
    await feed.close();
    for (const log of [await logOf([...basics(), checkout]), undefined]) {
      feed = opened();
      if (log !== undefined) feed.follow(log);
      await eventually('the experiment is gone', async () => (experimentsIn(feed as DefinitionsFeed)?.length === 0 ? true : undefined));
      await feed.close();
    }
  });

  it('is not led back by an older definition that is said again without an erased unit', async () => {
    const named = (version: number, name: string) => published({ kind: 'feature', version, value: feature({ name }) }, 'checkout');
    const log = await logOf(basics());
    const [first] = await log.append(DEFINITIONS, [named(1, 'for ann')]);
    await log.append(DEFINITIONS, [named(2, 'for all')]);
    feed = opened();
    feed.follow(log);
    await ready(feed);
    await log.append(DEFINITIONS, [
      { ...named(1, 'for (erased)'), headers: { [FIRST_KNOWN_HEADER]: String(first?.knownAtUs) } },
      published({ kind: 'feature', version: 1, value: feature({ key: 'later' }) }, 'later'),
    ]);
    const names = () => (feed as DefinitionsFeed).view.published('shop', 'production').features.map(({ key, name }) => [key, name]);
    await eventually('what came after it is there', async () => (names().length === 2 ? true : undefined));
    expect(names()[0]).toEqual(['checkout', 'for all']);
  });

  it('keeps with the next change what the disk refused, so that a restart has all of it', async () => {
    class Refusing extends KeptDefinitions {
      refusals = 1;
      override keep(...given: Parameters<KeptDefinitions['keep']>): Promise<void> {
        this.refusals -= 1;
        return this.refusals >= 0 ? Promise.reject(new Error('no space left')) : super.keep(...given);
      }
    }
    const log = await logOf([...basics(), checkout, ...running]);
    feed = opened(new Refusing(environment, SECRET, room));
    feed.follow(log);
    await eventually('it is refused', async () => (troubles.length > 0 ? true : undefined));
    await log.append(DEFINITIONS, [published({ kind: 'feature', version: 2, value: feature() }, 'checkout')]);
    await ready(feed);
    await feed.close();
    feed = opened();
    expect(experimentsIn(feed)).toEqual(['faster-checkout']);
  });

  it('lets go of what is taken back while it follows', async () => {
    const log = await logOf([...basics(), checkout, ...running]);
    feed = opened();
    feed.follow(log);
    await ready(feed);
    expect(experimentsIn(feed)).toEqual(['faster-checkout']);
    await log.append(
      DEFINITIONS,
      running.map(({ key }) => ({ partition: 0, key: key ?? '', value: null })),
    );
    await eventually('the experiment is gone', async () => (experimentsIn(feed as DefinitionsFeed)?.length === 0 ? true : undefined));
  });

  it('steps over what it can’t read, and says so', async () => {
    feed = opened();
    feed.follow(await logOf([{ partition: 0, key: 'v/shop/feature/broken/1', value: '{"kind":' }, ...basics(), checkout]));
    await ready(feed);
    expect(feed.unreadable).toBe(1);
    expect(troubles).toEqual(['the definition v/shop/feature/broken/1 can’t be read'].map((one) => one.replace('’', "'")));
    expect(feed.rulesets.of('shop', 'production').definitions.features.map(({ key }) => key)).toEqual(['checkout']);
  });

  it('serves on what it had when a change can’t be compiled, and says so until one can', async () => {
    const log = await logOf([...basics(), checkout, ...running]);
    feed = opened();
    feed.follow(log);
    await ready(feed);
    const before = feed.rulesets.of('shop', 'production');
    const shapeless = published({ kind: 'feature', version: 9, value: {} as never }, 'shapeless');
    await log.append(DEFINITIONS, [shapeless]);
    await eventually('the trouble is said', async () => (feed as DefinitionsFeed).whyNotInForce());
    expect(feed.rulesets.of('shop', 'production')).toBe(before);
    await log.append(DEFINITIONS, [{ partition: 0, key: shapeless.key ?? '', value: null }]);
    await eventually('it is over', async () => ((feed as DefinitionsFeed).whyNotInForce() === undefined ? true : undefined));
  });

  it('is as old as the newest tick, and stale when none comes', async () => {
    const log = await logOf(basics());
    feed = opened();
    feed.follow(log);
    await ready(feed);
    const heardAtMs = Date.now();
    expect(feed.staleSeconds(heardAtMs + STALE_AFTER_MS + 5_000)).toBeGreaterThanOrEqual(STALE_AFTER_MS / 1_000);
    const ticking = startTicks(log, DEFINITIONS, 50);
    await eventually('a tick is heard', async () => (((feed as DefinitionsFeed).ageMs(Date.now()) ?? Number.NaN) < 40 ? true : undefined));
    await ticking.stop();
    expect(feed.staleSeconds(Date.now())).toBeNull();
  });
});
