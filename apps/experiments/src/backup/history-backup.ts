/** The history as a stream, for whoever keeps it elsewhere: every table as of one moment; the log's too where it is in the same database. */
import { topicSpecs } from '@rampart/contracts';
import { bytesFrame, type HistoryAbout, headerFrame, secretFingerprint } from '@rampart/contracts/backups';
import type { EventLog } from '@rampart/event-log';
import { readSchemas, schemaVersions } from '@rampart/event-store';

export interface BackedUp {
  readonly url: string;
  readonly log: EventLog;
  readonly isLogElsewhere: boolean;
  readonly secret: string;
}

/** What the database holds of the platform. */
export const schemasOf = (isLogElsewhere: boolean): readonly string[] => (isLogElsewhere ? ['control'] : ['control', 'log']);

/** The token of what is backed up. */
export class HistoryBackup {
  constructor(private readonly of: BackedUp) {}

  async *frames(): AsyncGenerator<Buffer> {
    const { url, isLogElsewhere, secret } = this.of;
    const schemas = schemasOf(isLogElsewhere);
    const about: HistoryAbout = {
      log: isLogElsewhere ? 'kafka' : 'postgres',
      versions: [...(await schemaVersions(url, schemas))],
      secretFingerprint: secretFingerprint(secret),
      ends: await this.ends(),
    };
    yield headerFrame({ part: 'history', about });
    for await (const { table, rows } of readSchemas(url, schemas)) {
      yield headerFrame({ part: 'table', ...table, columns: [...table.columns] });
      for await (const chunk of rows) yield bytesFrame(chunk as Buffer);
    }
    yield headerFrame({ part: 'end' });
  }

  private async ends(): Promise<HistoryAbout['ends']> {
    const ends: HistoryAbout['ends'] = [];
    for (const { topic } of topicSpecs(1)) {
      const { generation } = await this.of.log.describeTopic(topic);
      for (const { partition, end } of await this.of.log.offsets(topic)) ends.push({ topic, partition, generation, offset: String(end) });
    }
    return ends;
  }
}
