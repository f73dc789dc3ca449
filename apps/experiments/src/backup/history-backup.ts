/** The history as a stream, for whoever keeps it elsewhere: every table as of one moment, and the log, wherever that is. */
import { RAW_FEEDBACK, topicSpecs } from '@rampart/contracts';
import { bytesFrame, type HistoryAbout, headerFrame, secretFingerprint } from '@rampart/contracts/backups';
import type { CopiedTopic, EventLog, LogCopy } from '@rampart/event-log';
import { readSchemas, schemaVersions } from '@rampart/event-store';

export interface BackedUp {
  readonly url: string;
  readonly log: EventLog;
  /** Of a log on Kafka; undefined where it is in the same database. */
  readonly openCopy: (() => Promise<LogCopy | undefined>) | undefined;
  readonly secret: string;
}

/** What the database holds of the platform. */
export const schemasOf = (isLogElsewhere: boolean): readonly string[] => (isLogElsewhere ? ['control'] : ['control', 'log']);

/** Of the topics of a log on Kafka, as of the tables of the database. */
export const LOG_SCHEMA = 'kafka';
export const LOG_TOPICS: readonly string[] = [...topicSpecs(1).map(({ topic }) => topic), RAW_FEEDBACK];

/** The token of what is backed up. */
export class HistoryBackup {
  constructor(private readonly of: BackedUp) {}

  /** @param withLog  whether a log on Kafka is in it; one in the same database always is */
  async *frames(withLog: boolean): AsyncGenerator<Buffer> {
    const copy = await this.of.openCopy?.();
    try {
      // Before the tables: what the log tells follows from them, and what it lacks of them is told again.
      const topics = withLog && copy !== undefined ? await copy.survey(LOG_TOPICS) : [];
      const about = await this.about(topics);
      yield headerFrame({ part: 'history', about });
      for await (const { table, rows } of readSchemas(this.of.url, schemasOf(copy !== undefined))) {
        yield headerFrame({ part: 'table', ...table, columns: [...table.columns] });
        for await (const chunk of rows) yield bytesFrame(chunk as Buffer);
      }
      for (const topic of topics) {
        yield headerFrame({ part: 'table', schema: LOG_SCHEMA, table: tableOf(topic), columns: ['batches'] });
        for await (const batches of copy?.read(topic) ?? []) yield bytesFrame(batches);
      }
      yield headerFrame({ part: 'end' });
    } finally {
      await copy?.close();
    }
  }

  private async about(topics: readonly CopiedTopic[]): Promise<HistoryAbout> {
    const { url, openCopy, secret } = this.of;
    return {
      log: openCopy === undefined ? 'postgres' : 'kafka',
      versions: [...(await schemaVersions(url, schemasOf(openCopy !== undefined)))],
      secretFingerprint: secretFingerprint(secret),
      ends: await this.ends(topics),
      copied: topics.map(({ topic, compacted, partitions }) => ({
        topic,
        compacted,
        table: tableOf({ topic }),
        partitions: [...partitions],
      })),
    };
  }

  private async ends(copied: readonly CopiedTopic[]): Promise<HistoryAbout['ends']> {
    const ends: HistoryAbout['ends'] = [];
    for (const { topic } of topicSpecs(1)) {
      const { generation } = await this.of.log.describeTopic(topic);
      const known = copied.find((one) => one.topic === topic)?.partitions.map(({ end }, partition) => ({ partition, end }));
      for (const { partition, end } of known ?? (await this.of.log.offsets(topic)))
        ends.push({ topic, partition, generation, offset: String(end) });
    }
    return ends;
  }
}

const tableOf = ({ topic }: Pick<CopiedTopic, 'topic'>): string => topic.replace(/[^a-z0-9]/g, '_');
