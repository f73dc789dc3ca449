/** A Kafka of a test's own, for what can't be done to a shared one: to kill a broker, and to have three. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { infraModule } from './infra-modules.js';

export interface OwnKafka {
  /** host:port,host:port; the same after each restart. */
  readonly brokers: string;
  /** The folder of everything that the brokers write. */
  readonly files: string;
  /** kill -9 of the n-th broker, from 0. */
  kill(n: number): Promise<void>;
  /** False when the n-th has ended, by itself too. */
  runs(n: number): boolean;
  /** The same data and ports; resolves when it answers. */
  restart(n: number): Promise<void>;
  /** Ends all at once and removes their files. */
  stop(): Promise<void>;
}

/** TLS and a name with a password, for every client. */
export interface OwnKafkaSecurity {
  /** PEM files. */
  readonly keystore: string;
  readonly truststore: string;
  readonly username: string;
  readonly password: string;
  /** Nobody gets in without a certificate that an authority of the truststore signed. */
  readonly wantsCertificate?: boolean;
}

interface Brokers {
  startBrokers(options: {
    readonly brokers: 1 | 3;
    readonly data: string;
    readonly settings?: Readonly<Record<string, string>>;
    readonly security?: OwnKafkaSecurity | undefined;
    readonly through?: ((port: number) => Promise<number>) | undefined;
  }): Promise<Omit<OwnKafka, 'files'>>;
}

/** Compaction, and segments that go, so that a test can wait for them. */
const settings = {
  ...{ 'log.cleaner.backoff.ms': '200', 'log.initial.task.delay.ms': '100' },
  ...{ 'log.retention.check.interval.ms': '1000', 'log.segment.delete.delay.ms': '500' },
};

/** Throws a sentence that says what is missing when there is no Java or Maven. */
export const ownKafka = async ({
  brokers = 1,
  security,
  through,
  firstAt,
}: {
  readonly brokers?: 1 | 3;
  readonly security?: OwnKafkaSecurity;
  /** The port at which clients find the broker that listens at `port`: a proxy's. */
  readonly through?: (port: number) => Promise<number>;
  /** The folder of the first broker's files, e.g. on a disk of its own. */
  readonly firstAt?: string | undefined;
} = {}): Promise<OwnKafka> => {
  const starter: Brokers = await infraModule('kafka/brokers.mjs');
  const data = mkdtempSync(join(tmpdir(), 'rampart-own-kafka-'));
  if (firstAt !== undefined) symlinkSync(firstAt, join(data, 'broker-1'));
  const running = await starter.startBrokers({ brokers, data, settings, security, through });
  const stop = async () => {
    // What nobody needs any more need not end in good order, which takes seconds.
    await Promise.all(Array.from({ length: brokers }, (_, n) => running.kill(n)));
    rmSync(data, { recursive: true, force: true });
  };
  return { ...running, files: data, stop };
};
