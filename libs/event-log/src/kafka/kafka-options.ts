/** What a log on Kafka can be told, and what it assumes otherwise. */

/** How brokers are believed, and how this process shows who it is. Certificates and keys are PEM texts. */
export interface KafkaSecurity {
  /** Absent: connections are not encrypted. */
  readonly tls?: {
    /** Who signed the brokers' certificates; absent: whom this system trusts. */
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  };
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
}

export interface KafkaEventLogOptions {
  /** Where to ask for the cluster first: host:port. */
  readonly brokers: readonly string[];
  readonly security?: KafkaSecurity;
  /** As the brokers' logs and quotas name this process; "rampart" by default. */
  readonly clientId?: string;
  /** Appends beyond this wait are refused; 64 MiB by default. */
  readonly maxQueuedBytes?: number;
  /** After this wait an append is refused as unavailable, in milliseconds; what of it is on its way may still arrive. 10,000 by default. */
  readonly patienceMs?: number;
  /** How long each batch of a log that is being restored is tried, in milliseconds; 120,000 by default. */
  readonly persistenceMs?: number;
  /** How often a consumer compares where it is with the log's end, in milliseconds; 1,000 by default. */
  readonly roundMs?: number;
  /**
   * A member of a group that is not heard of for this long loses its partitions, in milliseconds; 10,000 by default: the longest hand-over after a
   * kill -9, and the longest a process may stand still (a full collection, a busy machine) without losing them. Brokers accept 6,000 and more
   * unless `group.min.session.timeout.ms` says otherwise.
   */
  readonly sessionMs?: number;
  /** Settings of the topics that this log creates, over its own. */
  readonly topicSettings?: Readonly<Record<string, string>>;
  /** The timestamp of messages, in milliseconds; only topics in CreateTime mode take it, and the log creates none unless `topicSettings` say so. */
  readonly stampMs?: () => number;
}

export type KafkaSettings = Required<Omit<KafkaEventLogOptions, 'stampMs'>> & {
  readonly stampMs: (() => number) | undefined;
};

export const settingsOf = (options: KafkaEventLogOptions): KafkaSettings => {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as KafkaEventLogOptions;
  if (options.brokers.length === 0) throw new RangeError('A log on Kafka needs at least one broker to ask, got none.');
  return {
    clientId: 'rampart',
    maxQueuedBytes: 64 * 2 ** 20,
    patienceMs: 10_000,
    persistenceMs: 120_000,
    roundMs: 1_000,
    sessionMs: 10_000,
    topicSettings: {},
    security: {},
    stampMs: undefined,
    ...given,
  };
};
