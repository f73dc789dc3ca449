import { beforeEach, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, DROPPED_BEFORE_HEADER, ERASURE_HEADER, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { dropLettersAbout } from './letters-about.js';

let log: MemoryEventLog;

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
});

const letter = (raw: unknown, about: object = {}) =>
  JSON.stringify({ project: 'shop', code: 'missing', message: 'm', eventId: null, raw: JSON.stringify(raw), ...about });
const put = (...values: readonly string[]) =>
  log.append(
    DEAD_LETTERS,
    values.map((value) => ({ partition: 0, value })),
  );
const texts = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { value } of log.readAll(DEAD_LETTERS)) if (value !== null) found.push(Buffer.from(value).toString());
  return found;
};
const marks = async () =>
  (await log.read({ topic: DEAD_LETTERS, partition: 0, offset: 0, limit: 10 })).map(({ headers }) => [
    headers[DROPPED_BEFORE_HEADER],
    headers[ERASURE_HEADER],
  ]);
const wanted = { id: 'e1', unitId: 'ann "the" müller', unit: 'ab'.repeat(16), waiting: [] };

describe('dead letters about a unit', () => {
  it('leave the log, however its id is written; the others stay in their order', async () => {
    const [first, second] = [letter({ data: { unit: { type: 'user', id: 'bob' } } }), letter(7)];
    const escaped = letter(null, { raw: '{"id":"ann \\"the\\" m\\u00fcller"}' });
    const byPseudonym = letter(null, { raw: null, message: `row of ${wanted.unit}` });
    await put(
      first,
      letter({ data: { unit: { id: wanted.unitId } } }),
      escaped,
      second,
      letter(null, { eventId: `x-${wanted.unitId}-1` }),
      byPseudonym,
    );
    expect(await dropLettersAbout(log, wanted)).toEqual({ removed: 4, isMarked: true });
    expect(await texts()).toEqual([first, second]);
    expect(await dropLettersAbout(log, wanted)).toEqual({ removed: 0, isMarked: true });
    expect(await texts()).toEqual([first, second]);
  });

  it('leave the log also from behind one that is nested as deep as an event may be', async () => {
    const deep = letter(null, { raw: `{"id":"x","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}` });
    await put(deep, letter({ id: wanted.unitId }));
    expect(await dropLettersAbout(log, wanted)).toEqual({ removed: 1, isMarked: true });
    expect(await texts()).toEqual([deep]);
  });

  it('are left where none is about it: no letter gets another place', async () => {
    await put(letter({ id: 'bob' }));
    const before = await log.offsets(DEAD_LETTERS);
    expect(await dropLettersAbout(log, wanted)).toEqual({ removed: 0, isMarked: false });
    expect(await log.offsets(DEAD_LETTERS)).toEqual(before);
  });

  it('are gone after a run that died before it dropped them, and nothing is there twice', async () => {
    const kept = letter({ id: 'bob' });
    await put(kept, letter({ id: wanted.unitId }));
    const drop = log.dropBefore.bind(log);
    log.dropBefore = () => Promise.reject(new Error('killed'));
    await expect(dropLettersAbout(log, wanted)).rejects.toThrow('killed');
    log.dropBefore = drop;
    expect(await dropLettersAbout(log, wanted)).toEqual({ removed: 0, isMarked: true });
    expect(await texts()).toEqual([kept]);
    expect(await marks()).toEqual([
      [undefined, undefined],
      ['2', 'e1'],
    ]);
  });

  it('leave marks that name every erasure which the view has yet to hear of, also where another one dropped them', async () => {
    const kept = letter({ id: 'bob' });
    await put(kept, letter({ id: wanted.unitId }), letter({ id: 'eve' }));
    await dropLettersAbout(log, wanted);
    expect(await dropLettersAbout(log, { ...wanted, id: 'e2', waiting: ['e1'] })).toEqual({ removed: 0, isMarked: true });
    expect((await marks()).slice(2)).toEqual([
      ['3', 'e1'],
      ['3', 'e2'],
    ]);
    await dropLettersAbout(log, { id: 'e3', unitId: 'eve', unit: 'cd'.repeat(16), waiting: ['e1', 'e2'] });
    expect(await texts()).toEqual([kept]);
    expect((await marks()).slice(1)).toEqual([['7', 'e3,e1,e2']]);
  });
});
