import { describe, expect, it } from '@jest/globals';
import { type HistoryAbout, secretFingerprint } from '@rampart/contracts/backups';
import { type RestorePlace, refusalOf } from './restorable.js';

const secret = 'the secret of this platform';
const end = (topic: string, offset: number) => ({ topic, partition: 0, generation: 0, offset: String(offset) });
const about = (change: Partial<HistoryAbout> = {}): { readonly history: HistoryAbout } => ({
  history: {
    ...{ log: 'postgres', versions: ['tables 1', 'log 3'], secretFingerprint: secretFingerprint(secret) },
    ends: [end('feedback.v1', 100), end('decisions.v1', 7)],
    copied: [],
    ...change,
  },
});
const place = (change: Partial<RestorePlace> = {}): RestorePlace => ({
  ...{ log: 'postgres', secret, versions: ['tables 1', 'log 3'], ends: [], isEmptyKafka: false },
  ...change,
});
const onKafka = (...ends: RestorePlace['ends']) => refusalOf(about({ log: 'kafka' }), place({ log: 'kafka', ends }));

describe('a backup', () => {
  it('goes where log, secret and version are its own', () => {
    expect(refusalOf(about(), place())).toBeUndefined();
    expect(onKafka(end('feedback.v1', 180), end('decisions.v1', 7))).toBeUndefined();
  });

  it.each<readonly [string, Partial<RestorePlace>, string]>([
    ['another log', { log: 'kafka' }, 'set KAFKA_BROKERS'],
    ['another secret', { secret: 'the secret of another platform' }, 'no unit would be known again'],
    ['another version', { versions: ['tables 1', 'tables 2', 'log 3'] }, 'restore it with that one and upgrade then'],
  ])('is refused by %s', (_, change, sentence) => {
    expect(refusalOf(about(), place(change))).toContain(sentence);
  });

  it('is refused by a Kafka that ends before it, and by one that told decisions since', () => {
    expect(onKafka(end('feedback.v1', 99), end('decisions.v1', 7))).toContain(
      'feedback.v1/0 on this Kafka ends at 99, the backup was taken at 100',
    );
    expect(onKafka(end('decisions.v1', 7))).toContain('feedback.v1/0 on this Kafka ends at 0');
    expect(onKafka(end('feedback.v1', 100), end('decisions.v1', 9))).toContain('2 messages more');
  });

  it('fills a Kafka that has nothing yet, where the log is in it', () => {
    const copied = [{ topic: 'feedback.v1', table: 'feedback_v1', compacted: false, partitions: [{ earliest: 3, end: 100 }] }];
    const empty = place({ log: 'kafka', isEmptyKafka: true });
    expect(refusalOf(about({ log: 'kafka', copied }), empty)).toBeUndefined();
    expect(refusalOf(about({ log: 'kafka' }), empty)).toContain('without the log');
    expect(refusalOf(about({ log: 'kafka', copied }), place({ log: 'kafka', ends: [] }))).toContain('ends at 0');
  });
});
