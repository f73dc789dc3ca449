/** The second door: what services write into the raw topic is believed or not by the same check, and kept by the same function, as what they post. */
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { type DeadLetter, type FeedbackRow, RAW_FEEDBACK } from '@rampart/contracts';
import {
  type BatchControl,
  EventLog,
  isTick,
  type LogBatch,
  type LogMessage,
  type PoisonMessage,
  type Subscription,
} from '@rampart/event-log';
import { LOG, type Log, Metrics, noTracing, Tracing } from '@rampart/service-kit';
import { Gauge } from 'prom-client';
import type { IntakeScope } from '../intake/event-rows.js';
import { IngestCounters } from '../running/ingest-counters.js';
import { Intake, subjectOf, textOf } from '../running/intake.service.js';
import { LogLink } from '../running/log-link.js';
import { type RawEvent, type RawRefusal, rawEventsOf } from './raw-event.js';
import { type Admission, type Owner, RawKeys } from './raw-keys.js';
import { RawTraces } from './raw-traces.js';
import { withoutKey } from './write-key.js';

/** Offsets hang on it. */
const GROUP = 'ingestion-raw';
/** Rows are larger than events: nine units make nine rows of one. */
const limits = { maxMessages: 2_000, maxBytes: 2 * 2 ** 20 };
const retry = { firstMs: 100, maxMs: 2_000 };
/** A batch that failed once or twice may just have met a restart. */
const patientAttempts = 2;
const sayEveryMs = 5_000;

/** An event with its message and what is known of its key. */
interface Arrived {
  readonly event: RawEvent;
  readonly message: LogMessage;
  readonly partition: number;
}

@Injectable()
export class RawConsumer implements OnModuleInit, BeforeApplicationShutdown {
  private subscription: Subscription | undefined;
  private isStopping = false;
  private watching: NodeJS.Timeout | undefined;
  private said: string | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly link: LogLink,
    private readonly keys: RawKeys,
    private readonly intake: Intake,
    private readonly counters: IngestCounters,
    metrics: Metrics,
    @Inject(LOG) private readonly lines: Log,
    private readonly tracing: Tracing = noTracing,
  ) {
    const lag = () => this.subscription?.stats().partitions.reduce((sum, one) => sum + one.lag, 0) ?? 0;
    const runs = () =>
      this.subscription === undefined || this.subscription.stats().state === 'stopped' || this.trouble() !== undefined ? 0 : 1;
    gauge(metrics, 'rampart_ingest_raw_lag_messages', 'Messages of the raw topic that this process has yet to read', lag);
    gauge(metrics, 'rampart_ingest_raw_running', '0: this process reads no raw events or not all, and its log says why', runs);
  }

  onModuleInit(): void {
    // The HTTP door works without the raw topic: its troubles are told, and end nothing else.
    void this.link.begun.then(() => this.start());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.watching);
    await this.subscription?.close();
  }

  private start(): void {
    if (this.isStopping) return;
    this.subscription = this.log.consume({
      topic: RAW_FEEDBACK,
      group: GROUP,
      ...limits,
      retry,
      onBatch: (batch, control) => this.take(batch, control),
      onPoison: (poison) => this.setAside(poison),
    });
    this.watching = setInterval(() => this.sayTrouble(), sayEveryMs).unref();
    this.subscription.done.catch((err: unknown) => this.lines.fatal({ err, topic: RAW_FEEDBACK }, 'raw events are no longer read'));
  }

  /** How far this process has read the partitions that it owns. */
  progress(): readonly { readonly partition: number; readonly next: number }[] {
    return this.subscription?.stats().partitions ?? [];
  }

  /** What keeps a partition from going on: the HTTP door is open all the same, so that readiness doesn't say it. */
  private trouble(): string | undefined {
    const stats = this.subscription?.stats();
    return stats?.error ?? stats?.partitions.find(({ failing }) => (failing?.attempts ?? 0) > patientAttempts)?.failing?.error;
  }

  private sayTrouble(): void {
    const why = this.trouble();
    if (why === this.said) return;
    this.said = why;
    if (why === undefined) this.lines.info({ topic: RAW_FEEDBACK }, 'all raw events are read again');
    else this.lines.error({ topic: RAW_FEEDBACK, why }, 'some raw events are not read at the moment');
  }

  private async take({ messages: all, partition }: LogBatch, { signal }: BatchControl): Promise<void> {
    // The log's own, and the ends of transactions.
    const messages = all.filter((message) => !isTick(message));
    const arrived = messages.flatMap((message) => rawEventsOf(message).map((event): Arrived => ({ event, message, partition })));
    const writeKeys = new Set(arrived.map(({ event }) => event.writeKey));
    const admissions = await this.keys.admit(writeKeys, messages.at(-1)?.appendedAtUs ?? 0, signal);
    const rows: FeedbackRow[] = [];
    const traces = this.tracing.isOn ? new RawTraces(this.tracing) : undefined;
    const refused: (readonly [Arrived, RawRefusal, Owner])[] = [];
    const believed: (readonly [IntakeScope, FeedbackRow])[] = [];
    for (const one of arrived) {
      const admission = admissions.get(one.event.writeKey);
      if (admission === undefined) continue;
      const outcome = this.judge(one, admission);
      if ('code' in outcome) refused.push([one, outcome, ownerOf(admission)]);
      else {
        for (const row of outcome) rows.push(row);
        traces?.came(one.message, outcome);
        if (outcome[0] !== undefined && 'scope' in admission) believed.push([admission.scope, outcome[0]]);
      }
    }
    const letters = refused.map(([one, refusal, owner]) => letterOf(one, refusal, owner));
    await (traces === undefined ? this.intake.keep(rows, letters) : traces.around((traceOf) => this.intake.keep(rows, letters, traceOf)));
    for (const [scope, row] of believed) this.counters.accepted(scope, row);
    for (const [{ event }, { code }, owner] of refused) this.countRefused(event, code, owner);
    this.counters.publish('raw');
  }

  private judge({ event, message }: Arrived, admission: Admission): readonly FeedbackRow[] | RawRefusal {
    if (event.refusal !== undefined) return event.refusal;
    if ('refusal' in admission) return admission.refusal;
    const nowUs = Date.now() * 1_000;
    // The log's clock, not the moment of reading: an event that is read again after a crash says the same.
    const receivedAtUs = Math.min(message.appendedAtUs, nowUs);
    return this.intake.judgeOne(event.value, admission.scope, { receivedAtUs, nowUs });
  }

  private countRefused({ value }: RawEvent, code: string, { project, environment, key }: Owner): void {
    if (project === null || environment === null) this.counters.rejectedOfNobody(code, 'raw');
    else this.counters.rejected({ project, environment, keyId: key ?? '' }, subjectOf(value), code, 'raw');
  }

  /** What the log refuses for ever: it is a letter as a whole, and the rest of its partition goes on. */
  private async setAside({ message, partition, error }: PoisonMessage): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    const refusal = { code: 'unreadable-message', path: '', message: why };
    const letters = rawEventsOf(message).map((event) => letterOf({ event, message, partition }, refusal, nobody));
    await this.intake.keep([], letters);
    this.counters.rejectedOfNobody(refusal.code, 'raw');
  }
}

const nobody: Owner = { project: null, environment: null, key: null };
const ownerOf = (admission: Admission): Owner => {
  if ('owner' in admission) return admission.owner;
  const { project, environment, keyId: key } = admission.scope;
  return { project, environment, key };
};

const letterOf = ({ event, message, partition }: Arrived, refusal: RawRefusal, owner: Owner) => {
  const letter: DeadLetter = {
    ...owner,
    code: refusal.code,
    path: `${event.path}${refusal.path}`,
    message: refusal.message,
    receivedAtUs: message.appendedAtUs,
    eventId: textOf(event.value, 'id'),
    source: textOf(event.value, 'source'),
    raw: refusal.code === 'too-large' ? null : event.text(),
    topic: RAW_FEEDBACK,
    position: `${partition}-${message.offset}`,
  };
  return { partition: 0, value: withoutKey(JSON.stringify(letter), event.writeKey) };
};

const gauge = (metrics: Metrics, name: string, help: string, read: () => number): void => {
  new Gauge({
    name,
    help,
    registers: [metrics.registry],
    collect() {
      this.set(read());
    },
  });
};
