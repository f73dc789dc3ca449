import { describe, expect, it } from '@jest/globals';
import { kafkaSecurityOf, logConfig, needsLog } from './log-config.js';
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

  const good = [
    'postgres://h/db',
    'postgresql://u:p%2Fw@h:5432/db?sslmode=require',
    'postgres://u@/db?host=/run/pg',
    'postgres://[::1]:1/db',
    'postgres://h',
  ];
  it.each(good)('is PostgreSQL at %s', (text) => {
    expect(readConfig(config, { RAMPART_DATABASE_URL: text }).RAMPART_DATABASE_URL).toBe(text);
  });

  it.each([
    'base',
    'secret-host/db',
    'mysql://h/db',
    'postgres:/h/db',
    'postgres://u:secret/x@h/db',
    'postgres://h:99999/db',
    'postgres://a:1,b:2/db',
    'postgres://u:50%secret@h/db',
  ])('is refused as %s, by the name of the setting and without its text', (text) => {
    let message = '';
    try {
      readConfig(config, { RAMPART_DATABASE_URL: text });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('RAMPART_DATABASE_URL: must be postgres://');
    expect(message).not.toContain('secret');
  });

  it('must be somewhere, which is said beside everything else', () => {
    expect(() => readConfig(config, { RAMPART_LISTEN_PORT: '-1' })).toThrow(
      /RAMPART_LISTEN_PORT: .*\n.*RAMPART_DATABASE_URL: is missing: it says where the log is, unless KAFKA_BROKERS does/,
    );
  });
});

describe('the security of connections to Kafka', () => {
  const of = (environment: Record<string, string>) => kafkaSecurityOf(readConfig(config, { KAFKA_BROKERS: 'kafka:9092', ...environment }));
  const user = { KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' };

  it('is none unless it is asked for', () => {
    expect(of({})).toEqual({});
  });

  it('is TLS, a password, or both', () => {
    expect(of({ KAFKA_TLS: '1', KAFKA_TLS_CA_FILE: 'ca' })).toEqual({ tls: { caFile: 'ca' } });
    const sasl = { mechanism: 'scram-sha-512', username: 'u', password: 'p' };
    expect(of({ KAFKA_SASL_MECHANISM: 'scram-sha-512', ...user })).toEqual({ sasl });
    expect(of({ KAFKA_TLS: '1', KAFKA_SASL_MECHANISM: 'plain', ...user })).toMatchObject({ tls: {}, sasl: { mechanism: 'plain' } });
  });

  it.each([
    ['a password that would be readable', { KAFKA_SASL_MECHANISM: 'plain', ...user }, 'set KAFKA_TLS=1'],
    ['a mechanism without a password', { KAFKA_SASL_MECHANISM: 'scram-sha-256', KAFKA_SASL_USERNAME: 'u' }, 'both are needed'],
    ['a password without a mechanism', user, 'KAFKA_SASL_MECHANISM: is missing'],
    ['files without TLS', { KAFKA_TLS_CA_FILE: 'ca' }, 'KAFKA_TLS: must be 1'],
    ['a certificate without its key', { KAFKA_TLS: '1', KAFKA_TLS_CERT_FILE: 'c' }, 'goes with KAFKA_TLS_KEY_FILE'],
    ['a mechanism that nobody knows', { KAFKA_SASL_MECHANISM: 'md5', ...user }, 'KAFKA_SASL_MECHANISM'],
  ])('refuses %s', (_, environment, sentence) => {
    expect(() => of(environment as Record<string, string>)).toThrow(sentence);
  });
});
