import { describe, expect, it } from '@jest/globals';
import { doctorRequest, reportOf } from './doctor-command.js';
import { type AskedService, DEFAULT_LIMITS, diagnosis, type Facts } from './facts.js';
import { findingsOf } from './findings.js';

const NOW = 1_700_000_000_000_000;
const GIB = 2 ** 30;
const engine = (name: string, version: string, more: object = {}) => ({
  ...{ name, error: null, version, nowUs: NOW + 500, askedAtUs: NOW, answeredAtUs: NOW + 1_000 },
  ...{ disks: [{ path: '/db', freeBytes: 50 * GIB, totalBytes: 100 * GIB }], ...more },
});
const diagnosed = (service: string, more: object = {}) => ({
  ...{
    service,
    version: '0.1.0',
    node: '20.19.5',
    host: 'h',
    pid: 1,
    uptimeSeconds: 5,
    nowUs: NOW,
    engines: [],
    folders: [],
    reasons: {},
    notes: {},
  },
  ...more,
});
const asked = (name: string, more: object = {}): AskedService => ({
  ...{ name, error: null, askedAtUs: NOW - 1_000, answeredAtUs: NOW + 1_000 },
  diagnosis: diagnosis.parse(diagnosed(name, more)),
});
const hop = (
  name: 'door' | 'log' | 'definitions' | 'store' | 'look' | 'record',
  ageMs: number | null = 800,
  trouble: string | null = null,
) => ({
  ...{ hop: name, at: ageMs === null ? null : '2023-11-14T22:13:20Z', ageMs, trouble, isElsewhere: false },
});
const fresh = {
  ...{ watermark: '2023-11-14T22:13:20Z', ageMs: 900, looks: null },
  hops: [hop('door', 90_000), hop('log'), hop('definitions'), hop('store'), hop('look'), hop('record', null)],
  partitions: [{ topic: 'feedback.v1', partition: 3, knownAt: null, storedOffset: '1', logEndOffset: '2', lag: 1 }],
};
const healthy: Facts = {
  address: 'http://127.0.0.1:8080',
  nowUs: NOW,
  local: {
    folder: { what: 'the data folder', path: '/data', error: null, isWritable: true, freeBytes: 50 * GIB, totalBytes: 100 * GIB },
    processes: [{ name: 'analysis', pid: 7, isAlive: true, port: 4001, isListening: true }],
  },
  services: [
    asked('experiments', { engines: [engine('postgresql', '18.1')] }),
    asked('assignment'),
    asked('ingestion'),
    asked('analysis', { engines: [engine('clickhouse', '26.3.1.1')] }),
  ],
  freshness: fresh,
};
const withService = (one: AskedService): Facts => ({
  ...healthy,
  services: [...healthy.services.filter(({ name }) => name !== one.name), one],
});
const codes = (facts: Facts) => findingsOf(facts).map(({ code, subject }) => `${code} ${subject}`);
const sentences = (facts: Facts) => findingsOf(facts).map(({ sentence }) => sentence);

describe('a platform', () => {
  it('that is healthy has no findings, though nobody sends and no verdict changed', () => {
    expect(findingsOf(healthy)).toEqual([]);
    expect(reportOf(healthy, [])).toContain('Nothing is wrong.');
  });

  it('is told with every finding and what to do', () => {
    const facts = withService({ name: 'ingestion', error: 'status 503: The service ingestion is starting.' });
    const report = reportOf(facts, findingsOf(facts));
    expect(report).toContain('ingestion: no answer');
    expect(report).toMatch(/One thing is wrong:\n\n✗ ingestion did not answer at .*starting\.\n {2}→ Is its process running/);
  });
});

describe('a process', () => {
  it('without a living pid is down, and the first to be told; one that lives and takes no connections, too', () => {
    const processes = [
      { name: 'clickhouse', pid: 9, isAlive: false, port: 1, isListening: false },
      { name: 'postgres', pid: null, isAlive: false, port: 2, isListening: false },
      { name: 'analysis', pid: 7, isAlive: true, port: 4001, isListening: false },
    ];
    const local = healthy.local && { ...healthy.local, processes };
    expect(sentences({ ...healthy, local })).toEqual([
      'the process 9 of clickhouse is gone',
      'postgres has no process at the moment',
      'the process 7 of analysis lives, and takes no connections at port 4001',
    ]);
  });

  it('that is not ready or notes trouble is told with the reason', () => {
    const facts = withService(asked('assignment', { reasons: { definitions: 'none yet' }, notes: { log: '7 exposures wait' } }));
    expect(codes(facts)).toEqual(['service-not-ready assignment', 'trouble-noted assignment']);
  });
});

describe('an engine', () => {
  it('that is away is told by the service that needs it', () => {
    const facts = withService(asked('analysis', { engines: [{ name: 'clickhouse', error: 'connect ECONNREFUSED' }] }));
    expect(sentences(facts)).toEqual(['analysis does not reach clickhouse: connect ECONNREFUSED']);
  });

  it('is Kafka, too, where the log is there: away from the services that say so, with what to look at', () => {
    const error = 'did not answer within 3000 ms';
    const [finding, ...others] = findingsOf(withService(asked('ingestion', { engines: [{ name: 'kafka', error }] })));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'engine-unreachable', sentence: `ingestion does not reach kafka: ${error}` });
    expect(finding?.action).toMatch(/KAFKA_BROKERS.*KAFKA_TLS.*KAFKA_SASL.*advertise/);
  });

  it('may tell neither version nor clock, and then answers', () => {
    const facts = withService(asked('ingestion', { engines: [engine('kafka', '', { version: null, nowUs: null })] }));
    expect(findingsOf(facts)).toEqual([]);
    expect(reportOf(facts, [])).toContain('up 5 s, kafka answers');
  });

  it('that is too old is told with both versions', () => {
    expect(sentences(withService(asked('experiments', { engines: [engine('postgresql', '14.9 (Debian)')] })))).toEqual([
      'postgresql is 14.9 (Debian), and 15 is the oldest that is supported',
    ]);
  });
});

describe('a clock', () => {
  it('may be off by what asking takes, and is told beyond', () => {
    const slow = {
      name: 'analysis',
      error: null,
      askedAtUs: NOW - 6_000_000,
      answeredAtUs: NOW,
      diagnosis: diagnosis.parse(diagnosed('analysis')),
    } as const;
    expect(codes(withService(slow))).toEqual([]);
    expect(sentences(withService(asked('analysis', { nowUs: NOW + 3_600_000_000 })))).toEqual([
      'the clock of analysis is 3600.0 s ahead of that of this machine (at most 1 s)',
    ]);
  });

  it('of an engine is held against that of the service that asked it', () => {
    const behind = engine('postgresql', '18.1', { nowUs: NOW - 5_000_000 });
    expect(sentences(withService(asked('experiments', { engines: [behind] })))).toEqual([
      'the clock of postgresql is 5.0 s behind that of experiments (at most 1 s)',
    ]);
  });
});

describe('a disk', () => {
  it('is too full by what is left, or by its share', () => {
    const disks = [
      { path: '/small', freeBytes: 1 * GIB, totalBytes: 8 * GIB },
      { path: '/large', freeBytes: 30 * GIB, totalBytes: 1_000 * GIB },
    ];
    const facts = withService(asked('analysis', { engines: [engine('clickhouse', '26.3', { disks })] }));
    expect(codes(facts)).toEqual(['disk-full the disk of clickhouse', 'disk-full the disk of clickhouse']);
    expect(sentences(facts)[1]).toContain('(/large) has 30.0 GiB of 1000.0 GiB left, 3.0 %');
    expect(findingsOf(facts, { ...DEFAULT_LIMITS, minFreeBytes: 0, minFreeShare: 0 })).toEqual([]);
  });

  it('that is away or read-only is told', () => {
    const spool = { what: 'the spool', path: '/spool', freeBytes: 9 * GIB, totalBytes: 9 * GIB };
    expect(codes(withService(asked('assignment', { folders: [{ ...spool, error: null, isWritable: false }] })))).toEqual([
      'folder-not-writable the spool',
    ]);
    expect(codes(withService(asked('assignment', { folders: [{ what: 'the spool', path: '/spool', error: 'ENOENT' }] })))).toEqual([
      'folder-lost the spool',
    ]);
  });
});

describe('versions', () => {
  it('that differ, and Nodes that are too old, are told', () => {
    expect(codes(withService(asked('analysis', { version: '0.2.0', node: '20.18.3' })))).toEqual([
      'versions-differ services',
      'node-too-old analysis',
    ]);
  });
});

describe('an admin key of another platform', () => {
  it('is one finding, whatever it keeps from being known', () => {
    const error = 'status 401: No such API key';
    const services = healthy.services.map(({ name }) => ({ name, error }));
    expect(codes({ ...healthy, services, freshness: { error } })).toEqual(['key-denied admin key']);
  });
});

describe('freshness', () => {
  it('is told hop by hop: late, never heard of, in trouble', () => {
    const hops = [hop('log', 16_000), hop('definitions', null), hop('store', 900, 'away'), { ...hop('look', null), isElsewhere: true }];
    expect(codes({ ...healthy, freshness: { ...fresh, hops } })).toEqual(['hop-late log', 'hop-late definitions', 'hop-trouble store']);
  });

  it('is told where the store is behind, or nobody knows', () => {
    const partitions = fresh.partitions.map((one) => ({ ...one, lag: 5_000 }));
    expect(codes({ ...healthy, freshness: { ...fresh, partitions } })).toEqual(['partition-behind feedback.v1/3']);
    expect(codes({ ...healthy, freshness: { error: 'status 503' } })).toEqual(['freshness-unknown analysis']);
  });
});

describe('limits', () => {
  it('are numbers from 0 on', () => {
    expect(doctorRequest({ words: [], texts: { 'min-free-gib': '0.5', 'max-skew-s': '2' }, flags: {} }).limits).toEqual({
      ...DEFAULT_LIMITS,
      ...{ minFreeBytes: GIB / 2, mostSkewUs: 2_000_000 },
    });
    expect(() => doctorRequest({ words: [], texts: { 'max-lag': '-1' }, flags: {} })).toThrow('--max-lag is a number from 0 on, not "-1".');
    expect(() => doctorRequest({ words: ['now'], texts: {}, flags: {} })).toThrow('What is "now"?');
  });
});
