/** The path of every event: believed or not, appended, counted, answered. Keeps nothing itself. */
import { Injectable } from '@nestjs/common';
import {
  type BatchAnswer,
  DEAD_LETTERS,
  type DeadLetter,
  EVENT_TYPES,
  FEEDBACK,
  type FeedbackRow,
  type IngestCount,
  type ItemAnswer,
  LIMITS,
} from '@rampart/contracts';
import { EventLog, LogUnavailableError, type OutgoingMessage } from '@rampart/event-log';
import { messagesOf, Pseudonyms, type TraceOf, traceHeaders } from '@rampart/feedback-rows';
import { noTracing, Tracing, withMaskedKeys } from '@rampart/service-kit';
import { type IntakeScope, rowsOf } from '../intake/event-rows.js';
import type { Arrival } from '../intake/event-time.js';
import { type Rejection, rejected } from '../intake/rejection.js';
import type { RequestItems } from '../intake/request-items.js';
import { IngestCounters } from './ingest-counters.js';
import { LogLink } from './log-link.js';

const RETRY_AFTER_MS = 1_000;

/** What became of one item: its rows, or the reason against it. */
export type Outcome = readonly FeedbackRow[] | Rejection;
export const isRejection = (outcome: Outcome): outcome is Rejection => 'code' in outcome;

@Injectable()
export class Intake {
  constructor(
    private readonly log: EventLog,
    private readonly link: LogLink,
    private readonly counters: IngestCounters,
    private readonly pseudonyms: Pseudonyms,
    private readonly tracing: Tracing = noTracing,
  ) {}

  /** What would become of each item; stores nothing. */
  judge(items: RequestItems, scope: IntakeScope, arrival: Arrival): readonly Outcome[] {
    return items.values.map((value, index) =>
      items.isTooLarge(index)
        ? rejected('too-large', '', `the event is larger than ${LIMITS.eventBytes.toLocaleString('en')} bytes`)
        : rowsOf(value, scope, arrival, this.pseudonyms),
    );
  }

  /**
   * Resolves when the log has every believed event, and every other one as a dead letter.
   * @throws LogUnavailableError for all items together; sending all of them again is safe: what is stored counts once by source and id
   */
  async take(items: RequestItems, scope: IntakeScope, arrival: Arrival, keepsLetters = true): Promise<BatchAnswer> {
    const outcomes = this.judge(items, scope, arrival);
    const rows = outcomes.flatMap((outcome) => (isRejection(outcome) ? [] : outcome));
    const letters = keepsLetters ? lettersOf(outcomes, items, scope, arrival) : [];
    const parent = this.tracing.current();
    if (parent === undefined) await this.keep(rows, letters);
    else await this.traced(parent, rows, letters);
    this.count(outcomes, items, scope);
    return answerOf(outcomes, items);
  }

  /** What would become of one event that came another way than in a request; stores nothing. */
  judgeOne(value: unknown, scope: IntakeScope, arrival: Arrival): Outcome {
    return rowsOf(value, scope, arrival, this.pseudonyms);
  }

  /**
   * Resolves when the log has the rows, each in the partition of its unit, and the letters.
   * @param traceOf  the span that a row came with
   * @throws LogUnavailableError for all of it together
   */
  async keep(rows: readonly FeedbackRow[], letters: readonly OutgoingMessage[], traceOf?: TraceOf): Promise<void> {
    const timer = this.counters.appendSeconds.startTimer();
    await Promise.all([
      this.append(FEEDBACK, messagesOf(rows, this.link.partitions, traceHeaders(traceOf))),
      this.append(DEAD_LETTERS, letters),
    ]);
    timer();
  }

  private traced(parent: string, rows: readonly FeedbackRow[], letters: readonly OutgoingMessage[]): Promise<void> {
    const attributes = { 'messaging.destination.name': FEEDBACK, 'rampart.rows': rows.length, 'rampart.dead_letters': letters.length };
    return this.tracing.within(`append ${FEEDBACK}`, { kind: 'producer', parent, attributes }, (span) =>
      this.keep(rows, letters, () => span),
    );
  }

  private async append(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    try {
      await this.log.append(topic, messages);
    } catch (error) {
      // Whatever ails the log, the sender must keep its events and come back; only a refusal of the log is our own mistake.
      if ((error as { retriable?: unknown }).retriable !== undefined) throw error;
      throw new LogUnavailableError(`${topic} takes nothing now`, RETRY_AFTER_MS, { cause: error });
    }
  }

  private count(outcomes: readonly Outcome[], items: RequestItems, scope: IntakeScope): void {
    for (const [index, outcome] of outcomes.entries()) {
      if (isRejection(outcome)) this.counters.rejected(scope, subjectOf(items.values[index]), outcome.code, 'http');
      else if (outcome[0] !== undefined) this.counters.accepted(scope, outcome[0]);
    }
    this.counters.publish('http');
  }
}

const answerOf = (outcomes: readonly Outcome[], items: RequestItems): BatchAnswer => {
  let refused = 0;
  const answers = outcomes.map((outcome, index): ItemAnswer => {
    const id = textOf(items.values[index], 'id');
    if (!isRejection(outcome)) return { status: 'accepted', id };
    refused += 1;
    const path = items.isBatch ? `/${index}${outcome.path}` : outcome.path;
    return { status: 'rejected', id, code: outcome.code, path, message: outcome.message };
  });
  return { accepted: outcomes.length - refused, rejected: refused, items: answers };
};

const lettersOf = (outcomes: readonly Outcome[], items: RequestItems, scope: IntakeScope, { receivedAtUs }: Arrival) =>
  outcomes.flatMap((outcome, index) => {
    if (!isRejection(outcome)) return [];
    const { project, environment, keyId: key } = scope;
    const { code, path, message } = outcome;
    const letter: DeadLetter = {
      project,
      environment,
      key,
      code,
      path,
      message,
      receivedAtUs,
      eventId: textOf(items.values[index], 'id'),
      source: textOf(items.values[index], 'source'),
      raw: code === 'too-large' ? null : items.rawOf(index),
    };
    // A key that was put into an event by mistake must not be kept with it.
    return [{ partition: 0, value: withMaskedKeys(JSON.stringify(letter)) }];
  });

const LONGEST_TEXT = 200;

/** A text field of something that may be anything. */
export const textOf = (value: unknown, field: string): string | null => {
  const text = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : undefined;
  return typeof text === 'string' ? text.slice(0, LONGEST_TEXT) : null;
};

/** Under what an event that was not believed is counted. */
export const subjectOf = (value: unknown): Pick<IngestCount, 'kind' | 'name'> => {
  const type = EVENT_TYPES.find((known) => known === textOf(value, 'type'));
  const data = typeof value === 'object' && value !== null ? (value as { data?: unknown }).data : undefined;
  const name = textOf(data, 'name') ?? textOf(data, 'experiment') ?? '';
  if (type === undefined) return { kind: 'unreadable', name };
  return { kind: type === 'import.completed.v1' ? 'import' : (type.slice(0, -'.v1'.length) as IngestCount['kind']), name };
};
