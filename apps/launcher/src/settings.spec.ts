import { describe, expect, it } from '@jest/globals';
import { Refusal } from './refusal.js';
import { settingsFrom } from './settings.js';

describe('settings', () => {
  it('are the documented defaults when nothing is given, an empty text included', () => {
    expect(settingsFrom({ RAMPART_PORT: ' ', DATABASE_URL: '' }, '/checkout')).toEqual({
      host: '127.0.0.1',
      port: 8080,
      dataFolder: '/checkout/.rampart',
      adminKey: undefined,
      secret: undefined,
      databaseUrl: undefined,
      clickhouseUrls: [],
      clickhouseCluster: undefined,
      kafkaBrokers: [],
      watchesPipe: false,
    });
  });

  it.each(['http', '-1', '80.5', '65536'])('refuse %s as a port', (port) => {
    expect(() => settingsFrom({ RAMPART_PORT: port }, '/')).toThrow(Refusal);
  });

  it('refuse an admin key that is too short to be one, and say how long it must be', () => {
    expect(() => settingsFrom({ RAMPART_ADMIN_KEY: 'secret' }, '/')).toThrow('has 6 characters: give at least 16');
  });

  it('refuse an address of another kind of server', () => {
    expect(() => settingsFrom({ DATABASE_URL: 'mysql://host/db' }, '/')).toThrow('postgres://');
    expect(() => settingsFrom({ CLICKHOUSE_URL: 'tcp://host:9000' }, '/')).toThrow('http://');
    expect(() => settingsFrom({ CLICKHOUSE_URL: 'http://a:1,http://b:2' }, '/')).toThrow('CLICKHOUSE_CLUSTER');
    expect(() => settingsFrom({ CLICKHOUSE_CLUSTER: 'c' }, '/')).toThrow('CLICKHOUSE_URL');
    expect(settingsFrom({ CLICKHOUSE_URL: 'http://a:1, http://b:2', CLICKHOUSE_CLUSTER: 'c' }, '/')).toMatchObject({
      clickhouseUrls: ['http://a:1', 'http://b:2'],
      clickhouseCluster: 'c',
    });
  });

  it('take Kafka brokers as a list, and refuse the one that is none', () => {
    expect(settingsFrom({ KAFKA_BROKERS: 'a:9092, b.c-d:1,[::1]:65535' }, '/').kafkaBrokers).toEqual(['a:9092', 'b.c-d:1', '[::1]:65535']);
    expect(() => settingsFrom({ KAFKA_BROKERS: 'a:9092,b' }, '/')).toThrow(
      'KAFKA_BROKERS has "b": give host:port, several separated by commas.',
    );
    expect(() => settingsFrom({ KAFKA_BROKERS: 'a:70000' }, '/')).toThrow(Refusal);
  });
});
