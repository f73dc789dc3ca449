/** How old what is known is, hop by hop: from the door over the log and the store to looks and records. */
import { Injectable } from '@nestjs/common';
import { FEEDBACK, type Freshness, formatInstant, type Hop, INGEST_STATS, type InstantUs } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { DefinitionsLink } from '../definitions/definitions-link.js';
import { FeedbackConsumer } from '../feedback/feedback.consumer.js';
import { Watermark } from '../feedback/watermark.js';
import { DecisionLog } from '../looks/decision-log.js';
import { LookFigures } from '../looks/look-figures.js';
import { LookLoop } from '../looks/look-loop.js';

@Injectable()
export class FreshnessService {
  constructor(
    private readonly log: EventLog,
    private readonly watermark: Watermark,
    private readonly link: DefinitionsLink,
    private readonly feedback: FeedbackConsumer,
    private readonly looks: LookLoop,
    private readonly figures: LookFigures,
    private readonly decisions: DecisionLog,
  ) {}

  async freshness(nowUs: InstantUs): Promise<Freshness> {
    const [store, stats, feedback] = await Promise.all([this.watermark.freshness(nowUs), this.lastOf(INGEST_STATS), this.lastOf(FEEDBACK)]);
    const look = this.figures.last;
    const elsewhere = this.elsewhere();
    const hop = (name: Hop['hop'], atUs: InstantUs | null | undefined, trouble?: string): Hop => ({
      hop: name,
      at: atUs == null ? null : formatInstant(atUs),
      ageMs: atUs == null ? null : Math.max(0, Math.round((nowUs - atUs) / 1000)),
      trouble: trouble ?? null,
      isElsewhere: elsewhere.includes(name),
    });
    return {
      ...store,
      hops: [
        hop('door', stats),
        hop('log', feedback, skewTrouble(this.feedback.skewUs())),
        hop('definitions', this.link.lastKnownAtUs, this.link.trouble()),
        { hop: 'store', at: store.watermark, ageMs: store.ageMs, trouble: null, isElsewhere: false },
        hop('look', look?.knownUntilUs, this.looks.trouble()),
        hop('record', this.decisions.newestRecordedAtUs, this.decisions.trouble()),
      ],
      looks: look === undefined ? null : { comparisons: look.comparisons, tookMs: Math.round(look.seconds * 1000) },
    };
  }

  /** Hops of which another process knows. */
  elsewhere(): readonly Hop['hop'][] {
    return this.looks.areElsewhere ? ['look'] : [];
  }

  /** When the log took the last message of a topic; of the partition that lies furthest behind. Null while one has none. */
  private async lastOf(topic: string): Promise<InstantUs | null> {
    const offsets = await this.log.offsets(topic);
    const times = await Promise.all(
      offsets.map(async ({ partition, earliest, end }) => {
        if (end <= earliest) return null;
        const [last] = await this.log.read({ topic, partition, offset: end - 1, limit: 1 });
        return last?.knownAtUs ?? null;
      }),
    );
    return times.reduce<InstantUs | null>(
      (least, at) => (least === null || at === null ? null : Math.min(least, at)),
      Number.POSITIVE_INFINITY,
    );
  }
}

const MOST_SKEW_US = 1_000_000;

/** Known times never fall back, so that a clock that does leaves them ahead of it. */
export const skewTrouble = (skewUs: number): string | undefined =>
  skewUs > MOST_SKEW_US
    ? `the log's clock lies ${(skewUs / 1e6).toFixed(1)} s behind the known times it gave out (more than 1 s): set the clocks of its servers`
    : undefined;
