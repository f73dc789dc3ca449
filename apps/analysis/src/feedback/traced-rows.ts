/**
 * Follows traced rows from the log into the store, and on to the first look and the first record of each comparison of their environment that know them.
 * Looks and records are told by topics, so it does not matter which process takes them.
 */
import { Injectable } from '@nestjs/common';
import {
  type ComparisonPlace,
  comparisonKey,
  DECISIONS,
  FEEDBACK,
  type InstantUs,
  LOOKS,
  type LookMessage,
  type RecordedDecision,
  tracesOf,
} from '@rampart/contracts';
import { EventLog, FollowedTopic, type LogMessage } from '@rampart/event-log';
import type { PlacedRow } from '@rampart/feedback-store';
import { noTracing, type Span, Tracing } from '@rampart/service-kit';

/** Of one batch; what is traced beyond is not followed further. */
const MOST_SPANS = 64;
/** Followed at once; the oldest gives way. */
const MOST_FOLLOWED = 256;
/** Of one trace: an environment may have hundreds of comparisons. */
const MOST_TOLD = 20;

interface Followed {
  /** The span that stored it. */
  readonly traceparent: string;
  /** `project/environment` of its rows. */
  readonly places: ReadonlySet<string>;
  readonly knownAtUs: InstantUs;
  /** What was told of it: `look` or `record` and the comparison. */
  readonly told: Set<string>;
}

type Told = ComparisonPlace & { readonly knownUntilUs: InstantUs };

@Injectable()
export class TracedRows {
  private readonly followed: Followed[] = [];
  private topics: readonly FollowedTopic[] = [];

  constructor(
    private readonly log: EventLog,
    private readonly tracing: Tracing = noTracing,
  ) {}

  /** The topics must exist. */
  start(): void {
    if (!this.tracing.isOn || this.topics.length > 0) return;
    this.topics = [
      new FollowedTopic(this.log, { topic: LOOKS, what: 'looks', take: (message) => this.looked(contentOf<LookMessage>(message)) }),
      new FollowedTopic(this.log, {
        topic: DECISIONS,
        what: 'decisions',
        take: (message) => this.recorded(contentOf<RecordedDecision>(message)),
      }),
    ];
    for (const topic of this.topics) topic.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.topics.map((topic) => topic.close()));
    this.topics = [];
  }

  /** Of one batch; undefined while nothing is traced, which costs nothing. */
  storing(partition: number): StoredTraces | undefined {
    return this.tracing.isOn ? new StoredTraces(this.tracing, partition, (one) => this.follow(one)) : undefined;
  }

  private follow(one: Omit<Followed, 'told'>): void {
    this.followed.push({ ...one, told: new Set() });
    if (this.followed.length > MOST_FOLLOWED) this.followed.shift();
  }

  private looked(look: LookMessage | undefined): void {
    if (look?.lookedAtUs === undefined) return;
    const { verdict, units, knownUntilUs, lookedAtUs } = look;
    this.tell('look', look, {
      startUs: knownUntilUs,
      endUs: lookedAtUs,
      attributes: { 'rampart.verdict': verdict, 'rampart.units': units },
    });
  }

  private recorded(decision: RecordedDecision | undefined): void {
    if (decision?.record?.verdict === undefined) return;
    const { record, recordedAtUs } = decision;
    const attributes = { 'rampart.verdict': record.verdict.verdict, 'rampart.record': record.id, 'rampart.cause': record.cause };
    this.tell('record', record, { startUs: record.knownUntilUs, endUs: recordedAtUs, attributes });
  }

  /** From the moment up to which it knew everything, to the moment when it was taken. */
  private tell(
    what: 'look' | 'record',
    place: Told,
    { startUs, endUs, attributes }: { startUs: InstantUs; endUs: InstantUs; attributes: Record<string, string | number> },
  ): void {
    const key = `${what} ${comparisonKey(place)}`;
    for (const { traceparent, places, knownAtUs, told } of this.followed) {
      if (knownAtUs > place.knownUntilUs || told.has(key) || told.size >= 2 * MOST_TOLD) continue;
      if (!places.has(`${place.project}/${place.environment}`)) continue;
      told.add(key);
      const more = { ...attributes, 'rampart.experiment': place.experiment, 'rampart.environment': place.environment };
      this.tracing
        .start(what, { kind: 'internal', parent: traceparent, startUs, attributes: more })
        ?.end({ endUs: Math.max(startUs, endUs) });
    }
  }
}

/** The traced messages of one batch on their way into the store. */
class StoredTraces {
  private readonly spans: { readonly span: Span; readonly places: ReadonlySet<string>; readonly knownAtUs: InstantUs }[] = [];

  constructor(
    private readonly tracing: Tracing,
    private readonly partition: number,
    private readonly follow: (one: Omit<Followed, 'told'>) => void,
  ) {}

  came({ headers, offset, knownAtUs }: LogMessage, rows: readonly PlacedRow[]): void {
    const traces = tracesOf(headers);
    if (traces.length === 0) return;
    const places = new Set(rows.map(({ row }) => `${row.project}/${row.environment}`));
    const attributes = {
      'messaging.destination.name': FEEDBACK,
      'messaging.destination.partition.id': String(this.partition),
      'messaging.kafka.offset': offset,
      'rampart.rows': rows.length,
    };
    for (const parent of traces) {
      if (this.spans.length >= MOST_SPANS) return;
      const span = this.tracing.start(`store ${FEEDBACK}`, { kind: 'consumer', parent, attributes });
      if (span !== undefined) this.spans.push({ span, places, knownAtUs });
    }
  }

  async around(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      for (const { span } of this.spans) span.end({ error });
      throw error;
    }
    for (const { span, places, knownAtUs } of this.spans) {
      span.end();
      this.follow({ traceparent: span.traceparent, places, knownAtUs });
    }
  }
}

/** Undefined for what can't be read: others say so. */
const contentOf = <Content>({ value }: LogMessage): Content | undefined => {
  if (value === null) return undefined;
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as Content;
  } catch {
    return undefined;
  }
};
