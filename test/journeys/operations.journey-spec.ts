import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { doctor, doctorRequest } from '@rampart/cli/doctor';
import { type OtlpCollector, startOtlpCollector } from '@rampart/test-engines';
import { documentedMetrics, exposedMetrics } from '../operations/metric-catalogue.js';
import { assigned, defineAssigned } from './assigned.js';
import { type LiveSetting, liveExposure, startLive } from './live.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

let collector: OtlpCollector;
let platform: Platform;
let setting: LiveSetting;

beforeAll(async () => {
  collector = await startOtlpCollector();
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500', OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
  setting = await startLive(platform, { experiment: 'traced' });
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
  await collector?.close();
}, 60_000);

/** Its exit code and what it said. @param offsetUs  how far the clock that it believes is off */
const examine = async (texts: Record<string, string> = {}, offsetUs = 0) => {
  let said = '';
  const request = doctorRequest({ words: [], texts: { 'min-free-gib': '0', ...texts }, flags: { json: true } });
  const environment = { RAMPART_DATA: platform.data, RAMPART_ADMIN_KEY: platform.adminKey };
  const print = (text: string) => {
    said += text;
  };
  // How full the disk of this machine is, is not the question.
  const limits = { ...request.limits, minFreeShare: 0 };
  const code = await doctor({ ...request, limits }, environment, print, () => Date.now() * 1_000 + offsetUs);
  const { findings } = JSON.parse(said) as { readonly findings: readonly { readonly code: string; readonly subject: string }[] };
  return { code, found: findings.map((one) => `${one.code} ${one.subject}`), said };
};

describe('one event', () => {
  it('is followed by its client’s trace from the door over log and store to the verdict', async () => {
    const events = [liveExposure(setting, 'traced-unit', 'treatment', Date.now())];
    const answer = await platform.call('POST', '/v1/events', events, {
      key: setting.key,
      headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
    });
    expect(answer.status).toBe(202);
    const names = ['POST /v1/events', 'append feedback.v1', 'store feedback.v1', 'look'];
    const spans = await eventually('the spans of the event', async () => {
      const found = collector.of(TRACE);
      return names.every((name) => found.some((span) => span.name === name)) ? found : undefined;
    });
    const named = (name: string) => spans.find((span) => span.name === name);
    const chain = names.map(named);
    expect(chain.map((span) => span?.service)).toEqual(['rampart-ingestion', 'rampart-ingestion', 'rampart-analysis', 'rampart-analysis']);
    expect(chain.map((span) => span?.parentSpanId)).toEqual(['b7ad6b7169203331', ...chain.slice(0, -1).map((span) => span?.spanId)]);
    expect(chain[3]?.attributes).toMatchObject({
      'rampart.experiment': 'traced',
      'rampart.verdict': expect.stringMatching(/continue|invalid/),
    });
    expect(spans.filter(({ isError }) => isError)).toEqual([]);
  });
});

describe('one evaluation', () => {
  it('is followed from the app’s request over the spool and the log to the verdict that its exposure is part of', async () => {
    const { clientKey } = await defineAssigned(platform);
    const trace = TRACE.replace('0af', '1bf');
    await assigned(platform.address, clientKey, 'checkout', 'traced-visitor', { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    const names = ['forward to feedback.v1', 'store feedback.v1', 'look'];
    const spans = await eventually('the spans of the evaluation', async () => {
      const found = collector.of(trace);
      return names.every((name) => found.some((span) => span.name === name)) ? found : undefined;
    });
    const asked = spans.find(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331');
    expect(asked).toMatchObject({ service: 'rampart-assignment', name: expect.stringContaining('POST /ofrep/v1/evaluate/flags/') });
    const chain = names.map((name) => spans.find((span) => span.name === name));
    expect(chain.map((span) => span?.parentSpanId)).toEqual([asked?.spanId, chain[0]?.spanId, chain[1]?.spanId]);
    expect(chain[2]?.attributes).toMatchObject({ 'rampart.experiment': 'faster-checkout' });
  });
});

describe('the metrics of each service', () => {
  it('are those of docs/observability.md, with their types and labels', async () => {
    const known = documentedMetrics();
    for (const service of ['experiments', 'assignment', 'ingestion', 'analysis']) {
      const { body } = await platform.call('GET', `/metrics/${service}`, undefined, { key: null });
      const exposed = exposedMetrics(body as string);
      const promised = known.filter((one) => one.service === undefined || one.service === service);
      const bySort = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      expect(exposed.map(({ name, type }) => ({ name, type })).sort(bySort)).toEqual(
        promised.map(({ name, type }) => ({ name, type })).sort(bySort),
      );
      // What has not happened yet has no labels.
      for (const { name, labels } of exposed)
        expect({
          name,
          unknown: labels.filter((label) => promised.find((one) => one.name === name)?.labels.includes(label) !== true),
        }).toEqual({
          ...{ name, unknown: [] },
        });
    }
  });
});

describe('the doctor', () => {
  it('finds nothing at a healthy platform', async () => {
    const healthy = await eventually('nothing is wrong', async () => {
      const { code, said } = await examine();
      if (code !== 0) throw new Error(said);
      return said;
    });
    expect(healthy).toContain('"healthy": true');
  });

  it('finds clocks that are off and disks with too little room', async () => {
    const off = await examine({}, 60_000_000);
    expect(off.code).toBe(1);
    expect(off.found).toEqual(['experiments', 'assignment', 'ingestion', 'analysis'].map((name) => `clock-off ${name}`));
    const full = await examine({ 'min-free-gib': '1000000' });
    expect(full.found).toEqual(['disk-full the data folder', 'disk-full the spool of exposures', 'disk-full the disk of clickhouse']);
  });

  it('finds an engine that is away, and nothing any more when it is back', async () => {
    let found: readonly string[] = [];
    const until = Date.now() + 30_000;
    await killPart(platform, 'clickhouse');
    while (Date.now() < until && !found.some((one) => /(engine-unreachable|process-down) clickhouse/.test(one)))
      found = (await examine()).found;
    expect(found).toContainEqual(expect.stringMatching(/(engine-unreachable|process-down) clickhouse/));
    await eventually('all is well again', async () => ((await examine()).code === 0 ? true : undefined), 60_000);
  }, 120_000);
});
