/** Several ingestion processes that share the raw topic lose none of its events, however often one of them is killed in between. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DEAD_LETTERS,
  DEFINITIONS,
  type DeadLetter,
  FEEDBACK,
  type FeedbackRow,
  RAW_FEEDBACK,
  rawTopicSpec,
  topicSpecs,
} from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { purchase } from '../intake/event.examples.js';
import { definitions, key } from '../running/started-ingestion.examples.js';

export interface ServedLog {
  readonly log: EventLog;
  /** Where a process finds it. */
  readonly env: Readonly<Record<string, string>>;
  dispose(): Promise<void>;
}

const PARTITIONS = 4;
const WAVES = 12;
const EVENTS_PER_WAVE = 400;
/** One in so many is wrong. */
const WRONG_EVERY = 50;

export const rawProcessesContract = (name: string, open: () => Promise<ServedLog>): void => {
  describe(`ingestion processes on ${name}`, () => {
    let served: ServedLog;
    const children: ChildProcess[] = [];
    let errors = '';

    const start = (place: number): void => {
      const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.js')], {
        env: {
          PATH: process.env.PATH ?? '',
          ...served.env,
          RAMPART_SECRET: 'the secret of this spec',
          RAMPART_LOG_PARTITIONS: String(PARTITIONS),
          RAMPART_LOG_LEVEL: 'error',
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr?.on('data', (part: Buffer) => (errors += part.toString()));
      children[place] = child;
    };

    beforeAll(async () => {
      served = await open();
      for (const spec of [...topicSpecs(PARTITIONS), rawTopicSpec(PARTITIONS)]) await served.log.createTopic(spec);
      await served.log.append(DEFINITIONS, definitions());
      start(0);
      start(1);
    }, 60_000);

    afterAll(async () => {
      for (const child of children) child.kill('SIGKILL');
      await served?.log.close();
      await served?.dispose();
    });

    const events = (wave: number) =>
      Array.from({ length: EVENTS_PER_WAVE }, (_, index) => {
        const isWrong = index % WRONG_EVERY === 0;
        const event = purchase({ id: `${isWrong ? 'wrong' : 'right'}-${wave}-${index}`, writekey: key('emits') });
        return JSON.stringify(isWrong ? { ...event, type: 'nothing' } : event);
      });
    const contents = async <Content>(topic: string): Promise<readonly Content[]> => {
      const all: Content[] = [];
      for await (const { value } of served.log.readAll(topic)) if (value !== null) all.push(JSON.parse(Buffer.from(value).toString()));
      return all;
    };
    const idsKept = async () => {
      const rows = (await contents<readonly FeedbackRow[]>(FEEDBACK)).flat();
      return {
        rows: new Set(rows.map(({ id }) => id)),
        letters: new Set((await contents<DeadLetter>(DEAD_LETTERS)).map(({ eventId }) => eventId)),
      };
    };

    it('lose no event and no letter when one after the other is killed in the middle of it', async () => {
      for (let wave = 0; wave < WAVES; wave += 1) {
        const messages = events(wave).map((value, index) => ({ partition: index % PARTITIONS, value }));
        await served.log.append(RAW_FEEDBACK, messages);
        // Only a process that reads can lose what it has read.
        while (wave === 0 && (await idsKept()).rows.size === 0) await sleep(50);
        await sleep(400);
        if (wave % 3 !== 0) continue;
        const place = (wave / 3) % 2;
        children[place]?.kill('SIGKILL');
        start(place);
      }
      const wrong = (WAVES * EVENTS_PER_WAVE) / WRONG_EVERY;
      const deadline = Date.now() + 60_000;
      let kept = await idsKept();
      while ((kept.rows.size < WAVES * EVENTS_PER_WAVE - wrong || kept.letters.size < wrong) && Date.now() < deadline) {
        await sleep(250);
        kept = await idsKept();
      }
      expect([kept.rows.size, kept.letters.size]).toEqual([WAVES * EVENTS_PER_WAVE - wrong, wrong]);
      expect([...kept.rows].filter((id) => !id.startsWith('right-'))).toEqual([]);
      expect(errors).not.toMatch(/uncaught|unhandled/);
    }, 120_000);
  });
};
