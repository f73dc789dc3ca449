/** Reads a stream, lets its decider decide, appends: once per idempotency key, on the expected revision, or only to see what would happen. */
import { Injectable } from '@nestjs/common';
import { type Decider, DomainError, fold } from '@rampart/domain';
import { EventStore, type Origin, type RampartEvent } from '@rampart/event-store';
import { AnswerSeal } from './answer-seal.js';
import type { RememberedStreams } from './remembered-streams.js';

/** What comes with every command, whatever it asks. */
export interface Envelope {
  readonly origin: Origin;
  /** From `If-Match`; null: any. */
  readonly expectedRevision: number | null;
  /** From `Idempotency-Key`; null: the request may happen again. */
  readonly idempotency: { readonly scope: string; readonly key: string; readonly digest: string } | null;
  /** Decide, but store nothing. */
  readonly isDryRun: boolean;
}

export interface Outcome {
  /** False: everything was so already. */
  readonly isChanged: boolean;
  /** Of the resource, afterwards. */
  readonly revision: number;
  readonly body: unknown;
}

export interface Work<State, Command, Event extends RampartEvent> {
  readonly stream: string;
  readonly decider: Decider<State, Command, Event>;
  readonly command: Command;
  readonly envelope: Envelope;
  /** For streams that grow heavy: only what came later is read. */
  readonly remembered?: RememberedStreams<State>;
  /** The answer's body, from the state afterwards. */
  document(state: State, revision: number): unknown;
}

/** Somebody else changed the stream meanwhile: who named no revision is decided anew, this often. Of n at once the last needs n. */
const ATTEMPTS = 20;

/** Nothing is wrong with the request: it named no revision, so 412 would blame it for others' haste. */
class Crowded extends Error {
  override readonly name = 'Crowded';
  readonly retriable = true;
}

@Injectable()
export class CommandDoor {
  constructor(
    private readonly store: EventStore,
    private readonly seal: AnswerSeal,
  ) {}

  async execute<State, Command, Event extends RampartEvent>(work: Work<State, Command, Event>): Promise<Outcome> {
    const earlier = await this.recordedOutcome(work.envelope);
    if (earlier !== undefined) return earlier;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        // What is remembered may be ahead of a store that was restored.
        work.remembered?.forget(work.stream);
        // Its twin may have come first, and left us a state in which it can't happen again: then the twin's answer is ours.
        const twin = await this.recordedOutcome(work.envelope);
        if (twin !== undefined) return twin;
        if (!isRevisionMismatch(error) || work.envelope.expectedRevision !== null) throw error;
        if (attempt === ATTEMPTS)
          throw new Crowded(`${work.stream} was changed ${ATTEMPTS} times while one request waited`, { cause: error });
      }
    }
  }

  private async attempt<State, Command, Event extends RampartEvent>(work: Work<State, Command, Event>): Promise<Outcome> {
    const { stream, decider, command, envelope, remembered } = work;
    const known = remembered?.known(stream) ?? { revision: 0, state: decider.initialState };
    const stored = await this.store.readStream(stream, known.revision);
    const revisionBefore = known.revision + stored.length;
    requireRevision(envelope.expectedRevision, revisionBefore);
    // A stream holds the events of its own decider only.
    const facts = stored.map(({ event }) => event as Event);
    const before = fold(decider, facts, known.state);
    remembered?.remember(stream, { revision: revisionBefore, state: before });
    const events = decider.decide(command, before);
    const revision = revisionBefore + events.length;
    const body = work.document(fold(decider, events, before), revision);
    const outcome: Outcome = { isChanged: events.length > 0, revision, body };
    if (envelope.isDryRun) return { ...outcome, body: { valid: true, events: events.map(({ type }) => type), result: body } };
    const { origin, idempotency } = envelope;
    const request = idempotency === null ? undefined : { ...idempotency, answer: this.seal.sealed(JSON.stringify(outcome)) };
    if (events.length > 0 || request !== undefined)
      await this.store.append({ stream, expectedVersion: revisionBefore, events, origin, request });
    return outcome;
  }

  private async recordedOutcome({ idempotency }: Envelope): Promise<Outcome | undefined> {
    if (idempotency === null) return undefined;
    const { scope, key, digest } = idempotency;
    const recorded = await this.store.recordedRequest(scope, key);
    if (recorded === undefined) return undefined;
    if (recorded.digest === digest) return JSON.parse(this.seal.opened(recorded.answer)) as Outcome;
    const message = `the Idempotency-Key "${key}" was used for another request within the last 24 hours: take a new one for each request`;
    throw new DomainError('idempotency-key-reused', message, { key });
  }
}

const requireRevision = (expected: number | null, revision: number): void => {
  if (expected === null || expected === revision) return;
  const message = `If-Match names revision ${expected}, the resource is at ${revision}: read it again and decide anew`;
  throw new DomainError('revision-mismatch', message, { expected, revision });
};

const isRevisionMismatch = (error: unknown): boolean => error instanceof DomainError && error.code === 'revision-mismatch';
