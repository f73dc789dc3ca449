/** What was forwarded since the last second, for `ingest-stats.v1`: rows that come from here are accepted like those of ingestion. Counts may be lost with a process; rows never are. */
import { hostname } from 'node:os';
import { type FeedbackRow, INGEST_STATS, type IngestCount, type IngestStats } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';

type Counted = Omit<IngestCount, 'accepted'> & { accepted: number };
const FLUSH_MS = 1_000;

export class ForwardedCounts {
  private counts = new Map<string, Counted>();
  private readonly instance = `${hostname()}/${process.pid}`;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly log: Pick<EventLog, 'append'>) {}

  start(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  add(rows: readonly FeedbackRow[]): void {
    for (const row of rows) this.entry(row).accepted += 1;
  }

  /** Keeps what the log does not take for the next time. */
  async flush(): Promise<void> {
    if (this.counts.size === 0) return;
    const { counts } = this;
    this.counts = new Map();
    const stats: IngestStats = { instance: this.instance, atUs: Date.now() * 1000, counts: [...counts.values()] };
    try {
      await this.log.append(INGEST_STATS, [{ partition: 0, value: JSON.stringify(stats) }]);
    } catch {
      // Its trouble is told by the forwarder, whose rows wait for the same log.
      for (const { accepted, ...of } of counts.values()) this.entry(of).accepted += accepted;
    }
  }

  private entry({
    project,
    environment,
    key,
    kind,
    name,
  }: Pick<IngestCount, 'project' | 'environment' | 'key' | 'kind' | 'name'>): Counted {
    const id = [project, environment, key, kind, name].join('\0');
    const entry = this.counts.get(id) ?? { project, environment, key, kind, name, accepted: 0, rejected: {} };
    this.counts.set(id, entry);
    return entry;
  }
}
