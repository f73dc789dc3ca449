import { describe, expect, it } from '@jest/globals';
import { logConfig, needsLog } from './log-config.js';
import { readConfig, serviceConfig } from './service-config.js';

const config = needsLog(serviceConfig.extend(logConfig));

describe('the log in a configuration', () => {
  it.each(['kafka:9092', '10.0.0.1:9092,10.0.0.2:9092', ' a.b-c.example:19092 , [::1]:1 '])('is Kafka at %s', (text) => {
    expect(readConfig(config, { KAFKA_BROKERS: text })).toMatchObject({ KAFKA_BROKERS: text });
  });

  it('is PostgreSQL when no brokers are named, an empty text included', () => {
    const database = 'postgres://localhost/rampart';
    expect(readConfig(config, { KAFKA_BROKERS: '', RAMPART_DATABASE_URL: database }).KAFKA_BROKERS).toBeUndefined();
  });

  it.each([
    ['kafka', '"kafka"'],
    ['a:9092,', '""'],
    ['a:9092;b:9092', '"a:9092;b:9092"'],
    ['kafka://a:9092', '"kafka://a:9092"'],
    ['a:9092,b:0,c:99999', '"b:0", "c:99999"'],
  ])('is refused as %s, with what is wrong in it', (text, wrong) => {
    expect(() => readConfig(config, { KAFKA_BROKERS: text })).toThrow(
      `KAFKA_BROKERS: must be host:port, several separated by commas; got ${wrong}`,
    );
  });

  it('must be somewhere, which is said beside everything else', () => {
    expect(() => readConfig(config, { RAMPART_LISTEN_PORT: '-1' })).toThrow(
      /RAMPART_LISTEN_PORT: .*\n.*RAMPART_DATABASE_URL: is missing: it says where the log is, unless KAFKA_BROKERS does/,
    );
  });
});
