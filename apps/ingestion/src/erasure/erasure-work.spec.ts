import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DEAD_LETTERS,
  DEFINITIONS,
  ERASURE_HEADER,
  type ErasureRequest,
  type ErasureStep,
  RAW_FEEDBACK,
  rawTopicSpec,
  topicSpecs,
} from '@rampart/contracts';
import { unitSeal } from '@rampart/contracts/pseudonyms';
import type { OutgoingMessage } from '@rampart/event-log';
import { MemoryEventLog, MemoryStore } from '@rampart/event-log/memory';
import { Pseudonyms } from '@rampart/feedback-rows';
import { AccessJournal, createLog, Metrics, Readiness } from '@rampart/service-kit';
import { IntakeScopes } from '../doors/intake-scopes.js';
import { purchase } from '../intake/event.examples.js';
import { RawConsumer } from '../raw/raw.consumer.js';
import { RawKeys } from '../raw/raw-keys.js';
import { IngestCounters } from '../running/ingest-counters.js';
import { Intake } from '../running/intake.service.js';
import { LogLink } from '../running/log-link.js';
import { definitions, key, PARTITIONS } from '../running/started-ingestion.examples.js';
import { ErasureWork } from './erasure-work.js';
import { Erasures } from './erasures.js';

const SECRET = 'the secret of this spec';
const ANN = 'ann.forget-me@example.org';

let log: MemoryEventLog;
let erasures: Erasures;
let lettersMayCome: () => void;
let stop: () => Promise<void>;

/** One ingestion process without its HTTP door, whose letters take as long to reach the log as a spec wants. */
beforeEach(async () => {
  const store = new MemoryStore();
  log = new MemoryEventLog({ store });
  for (const spec of [...topicSpecs(PARTITIONS), rawTopicSpec(PARTITIONS)]) await log.createTopic(spec);
  await log.append(DEFINITIONS, definitions());
  const slow = new MemoryEventLog({ store });
  const mayCome = new Promise<void>((resolve) => {
    lettersMayCome = resolve;
  });
  const append = slow.append.bind(slow);
  slow.append = async (topic: string, messages: readonly OutgoingMessage[]) => {
    if (topic === DEAD_LETTERS) await mayCome;
    return append(topic, messages);
  };
  const metrics = new Metrics('ingestion');
  const lines = createLog('ingestion', 'silent');
  const counters = new IngestCounters(slow, metrics, lines);
  const link = new LogLink(slow, counters, new AccessJournal(), new Readiness(), PARTITIONS, lines);
  const intake = new Intake(slow, link, counters, new Pseudonyms(SECRET));
  const raw = new RawConsumer(slow, link, new RawKeys(slow, link, new IntakeScopes(link)), intake, counters, metrics, lines);
  erasures = new Erasures(log);
  const work = new ErasureWork(log, link, erasures, raw, SECRET, lines, new Readiness());
  raw.onModuleInit();
  work.onModuleInit();
  link.onModuleInit();
  stop = async () => {
    lettersMayCome();
    await work.beforeApplicationShutdown();
    await raw.beforeApplicationShutdown();
    await link.onApplicationShutdown();
    await log.close();
  };
});
afterEach(() => stop());

const eventually = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 20_000; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error(`${what}: not within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const letters = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { value } of log.readAll(DEAD_LETTERS)) if (value !== null) found.push(Buffer.from(value).toString('utf8'));
  return found;
};
const requestOf = (id: string): ErasureRequest => ({
  ...{ kind: 'request', id, project: 'shop', environment: 'production', unitType: 'user', unit: 'ab'.repeat(16), by: 'admin' },
  ...{ requestedAtUs: Date.now() * 1_000, sealed: unitSeal(SECRET).sealed(ANN), partition: 0, offset: 0 },
});
const step = (id: string, store: ErasureStep['store'], part: string): ErasureStep => ({
  ...{ kind: 'step', id, store, part, doneAtUs: Date.now() * 1_000, removed: null },
});
const stepsOfOthers = (id: string) => [step(id, 'feedback-store', 'rows'), step(id, 'control-plane', 'texts')];
const steps = (id: string) => [...(erasures.find(id)?.steps.keys() ?? [])].toSorted();

describe('an erasure that is asked for while a faulty raw event of the unit is still to be read', () => {
  it('searches letters when that has become one, and is not done before', async () => {
    const faulty = { ...purchase({ id: 'raw' }, { unit: { type: 'user', id: ANN }, value: 'none' }), writekey: key('emits') };
    const headers = { 'content-type': 'application/cloudevents+json' };
    await log.append(RAW_FEEDBACK, [{ partition: 0, value: JSON.stringify(faulty), headers }]);
    await erasures.tell([requestOf('e1'), ...stepsOfOthers('e1'), step('e1', 'dead-letters', 'store')]);
    await eventually('the partition in which nothing was is read', () => steps('e1').includes('raw-events/1'));
    expect(steps('e1')).not.toContain('dead-letters/log');
    expect(erasures.find('e1')?.request.sealed).not.toBeNull();
    lettersMayCome();
    await eventually('the id is needed no more', () => erasures.find('e1')?.request.sealed === null);
    expect(steps('e1')).toEqual(expect.arrayContaining(['dead-letters/log', 'raw-events/0', 'raw-events/1']));
    expect(erasures.find('e1')?.steps.get('dead-letters/log')?.removed).toBe(1);
    expect((await letters()).filter((text) => text.includes(ANN))).toEqual([]);
  }, 60_000);
});

describe('an erasure of a unit whose letters another one has just dropped', () => {
  it('is not done before the view has dropped them, too', async () => {
    lettersMayCome();
    await log.append(DEAD_LETTERS, [
      { partition: 0, value: JSON.stringify({ project: 'shop', code: 'missing', eventId: ANN, raw: null }) },
    ]);
    for (const id of ['e1', 'e2']) await erasures.tell([requestOf(id), ...stepsOfOthers(id)]);
    for (const id of ['e1', 'e2']) await eventually(`letters are searched for ${id}`, () => steps(id).includes('dead-letters/log'));
    expect([...steps('e1'), ...steps('e2')]).not.toContain('dead-letters/store');
    expect(await letters()).toEqual([]);
    const named: string[] = [];
    for await (const { headers } of log.readAll(DEAD_LETTERS)) named.push(...(headers[ERASURE_HEADER] ?? '').split(','));
    expect(named).toEqual(['e1', 'e2']);
  }, 60_000);
});
