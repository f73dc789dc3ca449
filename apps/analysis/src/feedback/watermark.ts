/** Up to when everything is known and stored, and how far that lies behind. */
import { Injectable } from '@nestjs/common';
import { DEFINITIONS, FEEDBACK, formatInstant, type InstantUs, type StoreFreshness } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { FeedbackStore, type Progress } from '@rampart/feedback-store';
import { DefinitionsLink } from '../definitions/definitions-link.js';

@Injectable()
export class Watermark {
  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    private readonly link: DefinitionsLink,
  ) {}

  /** Null while a partition never had a message, or definitions none. */
  async now(): Promise<InstantUs | null> {
    // Before the rows are counted: what is known up to here is all stored.
    return this.least(await this.store.progress(FEEDBACK), await this.partitions());
  }

  async freshness(nowUs: InstantUs): Promise<StoreFreshness> {
    const [progress, offsets, partitions] = await Promise.all([
      this.store.progress(FEEDBACK),
      this.log.offsets(FEEDBACK),
      this.partitions(),
    ]);
    const watermarkUs = this.least(progress, partitions);
    return {
      watermark: instantOrNull(watermarkUs),
      ageMs: watermarkUs === null ? null : Math.max(0, Math.round((nowUs - watermarkUs) / 1000)),
      partitions: [
        ...offsets.map(({ partition, earliest, end }) => {
          const stored = progress.find((one) => one.partition === partition);
          const next = stored === undefined ? earliest : Number(stored.offset) + 1;
          return {
            topic: FEEDBACK,
            partition,
            knownAt: instantOrNull(stored?.knownAtUs ?? null),
            storedOffset: stored === undefined ? null : String(stored.offset),
            logEndOffset: String(end),
            lag: Math.max(0, end - next),
          };
        }),
        {
          topic: DEFINITIONS,
          partition: 0,
          knownAt: instantOrNull(this.link.lastKnownAtUs ?? null),
          storedOffset: null,
          logEndOffset: null,
          lag: 0,
        },
      ],
    };
  }

  private least(progress: readonly Progress[], partitions: number): InstantUs | null {
    const definitions = this.link.lastKnownAtUs;
    if (definitions === undefined || progress.length < partitions) return null;
    return Math.min(definitions, ...progress.map(({ knownAtUs }) => knownAtUs));
  }

  private async partitions(): Promise<number> {
    // Asked each time, and after the progress was read: rows of partitions that a new generation brings are known later than all that was read before.
    return (await this.log.describeTopic(FEEDBACK)).partitions;
  }
}

const instantOrNull = (atUs: InstantUs | null): string | null => (atUs === null ? null : formatInstant(atUs));
