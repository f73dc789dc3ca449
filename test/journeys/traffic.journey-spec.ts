import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseScenario, type TimedEvent, trafficOf } from '@rampart/cli/traffic';
import { FEEDBACK, type FeedbackRow } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { KafkaEventLog } from '@rampart/event-log/kafka';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { type Ended, rampart, removeScratch, scratchFile } from './importer.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';

const WINDOW_US = 10_000_000;

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
  removeScratch();
});

/** Everything that can go wrong on the way, in a few seconds. */
const scenario = (key: string, parts: object = {}) =>
  JSON.stringify({
    key,
    description: 'A journey.',
    project: key,
    arrival: { perSecond: 400 },
    seconds: 8,
    experiments: [
      {
        key: 'button',
        assignment: 'hash',
        sendsAssignments: true,
        arms: [{ variant: 'control' }, { variant: 'treatment', effects: [{ event: 'purchase', probability: { relative: 0.5 } }] }],
        twoArms: { share: 0.02, after: 1 },
      },
    ],
    events: [{ name: 'purchase', probability: 0.3, value: { distribution: 'lognormal', mean: 40, sd: 30 }, delay: 1 }],
    sending: {
      twice: { share: 0.1, after: 1 },
      shuffleSeconds: 1,
      clock: { share: 0.1, offset: { distribution: 'normal', mean: 0, sd: 600 } },
    },
    define: {
      metrics: [
        { key: 'bought', name: 'Bought', type: 'proportion', unitType: 'user', numerator: { event: 'purchase' }, windowUs: WINDOW_US },
      ],
      experiments: [
        {
          key: 'button',
          name: 'Button',
          variants: [{ key: 'control' }, { key: 'treatment' }],
          control: 'control',
          metrics: [{ metric: 'bought', role: 'success' }],
        },
      ],
    },
    ...parts,
  });

interface Files {
  readonly scenario: string;
  readonly report: string;
  readonly acknowledged: string;
}
const filesOf = (text: string): Files => {
  const files = { scenario: scratchFile('scenario.json'), report: scratchFile('report.json'), acknowledged: scratchFile('ids') };
  writeFileSync(files.scenario, text);
  return files;
};
const startTraffic = ({ scenario: file, report, acknowledged }: Files, more: readonly string[] = []) =>
  rampart(
    [
      'traffic',
      '--scenario',
      file,
      '--report',
      report,
      '--acknowledged',
      acknowledged,
      '--address',
      platform.address,
      '--batch',
      '50',
      ...more,
    ],
    { RAMPART_DATA: platform.data },
  );
const reportOf = ({ report }: Files) => JSON.parse(readFileSync(report, 'utf8'));
const acknowledgedBy = ({ acknowledged }: Files) => readFileSync(acknowledged, 'utf8').trim().split('\n');
const words = ({ stdout, stderr, code }: Ended) => `${code}\n${stdout}\n${stderr}`;

const openLog = (): EventLog => {
  if (platform.servers !== undefined) return new KafkaEventLog({ brokers: platform.servers.brokers.split(',') });
  const { processes } = JSON.parse(readFileSync(join(platform.data, 'run.json'), 'utf8'));
  const password = readFileSync(join(platform.data, 'postgres-password'), 'utf8').trim();
  return new PostgresEventLog({ url: `postgres://rampart:${password}@127.0.0.1:${processes.postgres.port}/rampart` });
};

/** Ids in the log of feedback, of one project. */
const storedIds = async (project: string): Promise<ReadonlySet<string>> => {
  const log = openLog();
  const ids = new Set<string>();
  try {
    for await (const { value } of log.readAll(FEEDBACK)) {
      if (value === null) continue;
      const rows = JSON.parse(Buffer.from(value).toString()) as FeedbackRow[];
      for (const row of rows) if (row.project === project) ids.add(row.id);
    }
    return ids;
  } finally {
    await log.close();
  }
};

const results = async (project: string) =>
  (await platform.call('GET', `/v1/experiments/button/results?project=${project}&environment=production`)).body;

const settled = (project: string, stored: number) =>
  eventually(`${stored} rows are stored`, async () => {
    const found = await results(project);
    return found.population?.duplicates?.stored === stored ? found : undefined;
  });

describe('traffic through the front door', () => {
  let truth: readonly TimedEvent[];
  let first: Files;

  it('loses nothing that was acknowledged while ingestion is killed under it', async () => {
    const text = scenario('killed');
    first = filesOf(text);
    const running = startTraffic(first);
    for (let kill = 0; kill < 3; kill++) {
      await sleep(kill === 0 ? 3_500 : 1_500);
      await killPart(platform, 'ingestion');
    }
    const ended = await running.ended;
    expect(words(ended)).toMatch(/^0\n/);
    const report = reportOf(first);
    expect(report).toMatchObject({ unacknowledged: 0, rejected: [], notSent: 0 });
    expect(report.retries).toBeGreaterThan(0);
    truth = [...trafficOf(parseScenario(text, first.scenario), report.seed, Date.parse(report.start) * 1000)];
    const acknowledged = acknowledgedBy(first);
    // As many as the scenario has, repeats included, and nothing else.
    expect([...acknowledged].sort()).toEqual(truth.map(({ event }) => event.id).sort());
    const stored = await storedIds('killed');
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    expect(stored.size).toBe(new Set(acknowledged).size);
  }, 120_000);

  it('is counted once, in the arms that it was sent for', async () => {
    const report = reportOf(first);
    const ids = new Set(truth.map(({ event }) => event.id));
    const { population } = await settled('killed', ids.size);
    const units = new Set(truth.map(({ unit }) => unit.id));
    expect(population.units).toBe(units.size);
    const crossed = truth.filter(({ event, isRepeat }) => event.id.endsWith('-y0') && !isRepeat).length;
    expect(population.counted).toBe(units.size - crossed);
    expect(report.units).toBe(units.size);
  }, 60_000);

  it('sent again with the same seed and start changes nothing', async () => {
    const before = await results('killed');
    const { seed, start } = reportOf(first);
    const again = filesOf(scenario('killed'));
    const ended = await startTraffic(again, ['--seed', String(seed), '--start', start]).ended;
    expect(words(ended)).toMatch(/^0\n/);
    expect(acknowledgedBy(again).sort()).toEqual(acknowledgedBy(first).sort());
    const ids = new Set(truth.map(({ event }) => event.id));
    const after = await eventually('the repeats are stored', async () => {
      const found = await results('killed');
      return found.population.duplicates.accepted >= before.population.duplicates.accepted + truth.length ? found : undefined;
    });
    expect(after.population.duplicates.stored).toBe(ids.size);
    expect(after.sufficientStatistics).toEqual(before.sufficientStatistics);
  }, 60_000);

  it('ends cleanly when it is interrupted: what was begun is acknowledged', async () => {
    const files = filesOf(scenario('interrupted', { seconds: 600 }));
    const running = startTraffic(files);
    await sleep(4_000);
    running.child.kill('SIGINT');
    expect(words(await running.ended)).toMatch(/^0\n/);
    const report = reportOf(files);
    expect(report).toMatchObject({ interrupted: true, unacknowledged: 0 });
    expect(report.sent).toBeGreaterThan(100);
    const stored = await storedIds('interrupted');
    expect(acknowledgedBy(files).filter((id) => !stored.has(id))).toEqual([]);
  }, 60_000);
});

describe('what cannot be sent', () => {
  it.each([
    ['{ "key": "x", "description": "d", "arrival": { "perSecnd": 1 } }', 2, 'Did you mean "perSecond"?'],
    ['nonsense', 2, 'this is no JSON'],
  ])('%j is a sentence and exit code %d', async (text, code, sentence) => {
    const ended = await startTraffic(filesOf(text)).ended;
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(sentence);
  });

  it('since its experiment cannot run is not begun', async () => {
    const windowless = scenario('windowless').replace(`,"windowUs":${WINDOW_US}`, '');
    const ended = await startTraffic(filesOf(windowless)).ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('success "bought" (version 1) has no window');
  });

  it('with a key that the platform does not know is not acknowledged', async () => {
    const ended = await startTraffic(filesOf(scenario('keyless')), ['--key', 'rk_aaaaaaaaaaaa_wrong', '--units', '5']).ended;
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/events were not acknowledged: POST \/v1\/events at \S+ was refused \(401/);
  });
});
