import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DECISIONS, type DecisionRecord, type FeedbackRow, LOOKS, RECORD_PROPOSALS, type RecordProposal } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { ClickhouseFeedbackStore, type FeedbackStore, MemoryFeedbackStore, type PlacedRow } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { groupSequentialBounds } from '@rampart/statistics';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import { StoreMending } from '../feedback/store-mending.js';
import { converted, definitionOf, onDay } from '../figures/conclusion.examples.js';
import { EvidenceOf, OneDefinition } from '../results/evidence.examples.js';
import { DecisionLog } from './decision-log.js';
import { LookFigures } from './look-figures.js';
import { LookRound } from './look-round.js';
import { Proposals } from './proposals.js';
import { WatchedComparisons } from './watched-comparisons.js';

let clickhouse: FreshClickhouse;
let store: ClickhouseFeedbackStore;

beforeAll(async () => {
  clickhouse = await freshClickhouse();
  store = new ClickhouseFeedbackStore({ url: clickhouse.url, database: clickhouse.database });
  await store.prepare();
}, 60_000);

afterAll(async () => {
  await store?.close();
  await clickhouse?.drop();
});

const MINUTE = 60_000_000;
const PER_DAY = 400;
const LOOK_DAYS = [3, 6, 9];
const definition = definitionOf({
  metrics: [converted],
  experiment: { plan: { method: 'group-sequential', minimumRunUs: 0, looks: { atUs: LOOK_DAYS.map(onDay) } } },
});

const about = (unit: number, at: number): Omit<FeedbackRow, 'kind' | 'name' | 'id'> => ({
  ...{ project: 'shop', environment: 'past', unitType: 'user', unit: unit.toString(16).padStart(32, '0') },
  ...{ source: 'spec', at, digest: unit.toString(16).padStart(16, '0'), key: 'k' },
});

/** Of one day: every other unit is B's; one in ten of A converts and one in nine of B, an hour after it came. */
const rowsOf = (day: number): readonly PlacedRow[] =>
  Array.from({ length: PER_DAY }, (_, index) => {
    const unit = day * PER_DAY + index;
    const at = onDay(day) + index * MINUTE;
    const isB = index % 2 === 1;
    const converts = Math.floor(unit / 2) % (isB ? 9 : 10) === 0;
    const exposure: FeedbackRow = {
      ...{ ...about(unit, at), kind: 'exposure', name: 'button', id: `x${unit}` },
      ...{ variant: isB ? 'B' : 'A', segment: 1, reason: 'SPLIT' },
    };
    const conversion: FeedbackRow = { ...about(unit, at + 60 * MINUTE), kind: 'metric', name: 'converted', id: `c${unit}` };
    return [exposure, ...(converts ? [conversion] : [])].map(
      (row, nth): PlacedRow => ({ row, position: BigInt(2 * unit + nth), knownAtUs: row.at + 1_000 }),
    );
  }).flat();

/** All of A convert after all, a week after their windows were over. */
const tooLate = (day: number): readonly PlacedRow[] =>
  Array.from({ length: PER_DAY }, (_, index): PlacedRow => {
    const unit = day * PER_DAY + index;
    const row: FeedbackRow = { ...about(unit, onDay(day) + index * MINUTE + 1), kind: 'metric', name: 'converted', id: `late${unit}` };
    return { row, position: BigInt(1_000_000 + unit), knownAtUs: onDay(day + 7) };
  });

/** A process that takes looks, from nothing but the store and the log. */
const started = async (counted: FeedbackStore, log: MemoryEventLog) => {
  const now = { watermarkUs: onDay(0) };
  const evidence = new (class extends EvidenceOf {
    override async watermark() {
      return now.watermarkUs;
    }
    override sums(query: Parameters<FeedbackStore['sums']>[0]) {
      return counted.sums(query);
    }
  })({ watermarkUs: null, sumsAt: () => ({ cells: [], population: [], lateExposures: 0, crossedLate: 0 }) });
  const decisions = new DecisionLog(log);
  decisions.start();
  await decisions.readToTheEnd();
  const quiet = createLog('analysis', 'silent');
  const proposals = new Proposals(log, decisions, quiet);
  const watched = new WatchedComparisons(new OneDefinition(definition), evidence, decisions);
  const round = new LookRound(
    log,
    counted,
    evidence,
    watched,
    decisions,
    proposals,
    new StoreMending(counted, quiet),
    new LookFigures(new Metrics('analysis')),
    quiet,
  );
  let proposed = 0;
  /** Looks until there is nothing more to record as of this moment, and records what is proposed, as the control plane does. */
  const upTo = async (atUs: number): Promise<readonly DecisionRecord[]> => {
    now.watermarkUs = atUs;
    const records: DecisionRecord[] = [];
    for (let turn = 0; turn < 6; turn++) {
      now.watermarkUs = atUs + turn;
      await round.look(now.watermarkUs);
      const messages = await log.read({ topic: RECORD_PROPOSALS, partition: 0, offset: proposed, limit: 100 });
      proposed += messages.length;
      for (const { value } of messages) {
        const { record } = JSON.parse(String(value)) as RecordProposal;
        records.push(record);
        await log.append(DECISIONS, [{ partition: 0, value: JSON.stringify({ record, recordedAtUs: atUs, revision: records.length }) }]);
      }
      await decisions.readToTheEnd();
    }
    return records;
  };
  return { upTo, skip: (messages: number) => (proposed = messages), read: () => proposed, end: () => decisions.close() };
};

const emptyLog = async () => {
  const log = new MemoryEventLog();
  for (const topic of [DECISIONS, LOOKS, RECORD_PROPOSALS]) await log.createTopic({ topic, partitions: 1, compacted: topic === LOOKS });
  return log;
};

/** Ten days: the process is away on the sixth, and another one goes on from the seventh. */
const lived = async (counted: FeedbackStore) => {
  const log = await emptyLog();
  const first = await started(counted, log);
  for (const day of [0, 1, 2, 3]) await counted.insert(rowsOf(day), []);
  const early = await first.upTo(onDay(2.5));
  const atFirstLook = await first.upTo(onDay(4));
  const messages = first.read();
  await first.end();
  for (const day of [4, 5, 6]) await counted.insert(rowsOf(day), []);
  await counted.insert(tooLate(0), []);
  const second = await started(counted, log);
  second.skip(messages);
  const afterRestart = await second.upTo(onDay(7.5));
  for (const day of [7, 8, 9]) await counted.insert(rowsOf(day), []);
  const atTheEnd = await second.upTo(onDay(10));
  await second.end();
  return { early, atFirstLook, afterRestart, atTheEnd };
};

describe('planned looks over ClickHouse', () => {
  it('are taken as of their moments, kept through a restart, and never computed anew', async () => {
    const { early, atFirstLook, afterRestart, atTheEnd } = await lived(store);
    const looksOf = (records: readonly DecisionRecord[]) => records.at(-1)?.looks ?? [];
    expect(looksOf(early)).toEqual([]);
    expect(looksOf(atFirstLook).map(({ look, knownUntilUs }) => [look, knownUntilUs])).toEqual([[1, onDay(3)]]);
    // It was away on the sixth day: the look is of that day all the same.
    expect(looksOf(afterRestart).map(({ look, knownUntilUs }) => [look, knownUntilUs])).toEqual([
      [1, onDay(3)],
      [2, onDay(6)],
    ]);
    const [all] = atTheEnd.filter(({ looks }) => looks?.length === 3);
    expect(all?.knownUntilUs).toBe(onDay(9));
    // What came too late for the first look, and all that came after it, has moved nothing of it.
    for (const records of [afterRestart, atTheEnd]) expect(looksOf(records)[0]).toEqual(looksOf(atFirstLook)[0]);
    expect(looksOf(atTheEnd).slice(0, 2)).toEqual(looksOf(afterRestart));
    expect(atTheEnd.at(-1)?.verdict.verdict).toBe('inconclusive');
  }, 120_000);

  it('have the bounds that α by the calendar gives, and the records of a store that is read row by row', async () => {
    const model = await lived(new MemoryFeedbackStore());
    await store.reset();
    const { atTheEnd } = await lived(store);
    expect(atTheEnd.map(({ looks, evidenceDigest, conclusionDigest }) => ({ looks, evidenceDigest, conclusionDigest }))).toEqual(
      model.atTheEnd.map(({ looks, evidenceDigest, conclusionDigest }) => ({ looks, evidenceDigest, conclusionDigest })),
    );
    const tests = (atTheEnd.at(-1)?.looks ?? []).map((look) => look.tests[0]);
    expect(tests.every((one) => one !== undefined && one.bound !== null)).toBe(true);
    // Days 3, 6 and 9 of nine: a third of the time each. The first bound spends as the plan of equal steps does.
    const [planned] = groupSequentialBounds({
      ...{ informationFractions: [1 / 3, 2 / 3, 1], alphaPerSide: 0.05, spending: { kind: 'obrien-fleming' }, sides: 'upper' },
    });
    expect(tests[0]?.bound).toBeCloseTo(planned?.z ?? 0, 6);
  }, 120_000);
});
