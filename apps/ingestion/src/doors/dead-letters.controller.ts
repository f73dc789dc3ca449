/** What was not believed may be tried again: after a fix here, or once what it needed exists. */
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { type BatchAnswer, DEAD_LETTERS, type DeadLetter } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import { EventLog, type LogMessage } from '@rampart/event-log';
import { Caller, type CallerIdentity, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Intake } from '../running/intake.service.js';
import { IntakeScopes } from './intake-scopes.js';

const replayAll = z.strictObject({
  all: z.literal(true),
  code: z.string().min(1).max(100).optional().describe('only those rejected for this reason'),
});
const MOST_SHOWN = 100;

interface ReplayAnswer extends BatchAnswer {
  /** Letters whose event was too large to keep, or is no event that a program can read. */
  readonly notKept: number;
}

@Controller('v1/ingest/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly log: EventLog,
    private readonly intake: Intake,
    private readonly scopes: IntakeScopes,
  ) {}

  @Post(':id/replay')
  @HttpCode(200)
  @Scope('manager')
  @ApiOperation({
    summary:
      'Send a rejected event again, by the id of its dead letter (partition-offset); an admin key gives it a place where it has none',
  })
  async replayOne(@Param('id') id: string, @Project() project: string, @Caller() caller: CallerIdentity): Promise<BatchAnswer> {
    const letter = adopted(await this.letter(id), caller);
    if (letter === undefined || letter.project !== project)
      throw new DomainError('dead-letter-not-found', `The project ${project} has no dead letter ${id}.`);
    const answer = await this.replay(letter);
    if (answer === undefined)
      throw new DomainError(
        'dead-letter-not-kept',
        `The event was ${letter.raw === null ? 'too large to keep' : 'kept, but is no JSON'}, so it can’t be replayed; mend it and send it again.`,
      );
    return answer;
  }

  @Post('replay')
  @HttpCode(200)
  @Scope('manager')
  @ApiOperation({ summary: 'Send all rejected events of the project again (of ?environment=, where given). Repeats count once.' })
  async replayAll(
    @Body({ schema: replayAll }) { code }: z.infer<typeof replayAll>,
    @Project() project: string,
    @Caller() { environment }: CallerIdentity,
  ): Promise<ReplayAnswer> {
    const total = { accepted: 0, rejected: 0, notKept: 0, items: [] as BatchAnswer['items'][number][] };
    for await (const message of this.log.readAll(DEAD_LETTERS)) {
      const letter = readLetter(message);
      const isMeant = letter?.project === project && (environment === null || letter.environment === environment);
      if (letter === undefined || !isMeant || (code !== undefined && letter.code !== code)) continue;
      const answer = await this.replay(letter);
      if (answer === undefined) total.notKept += 1;
      total.accepted += answer?.accepted ?? 0;
      total.rejected += answer?.rejected ?? 0;
      if (total.items.length < MOST_SHOWN) total.items.push(...(answer?.items ?? []));
    }
    return total;
  }

  /** @returns undefined when the event was not kept, or can't be read */
  private async replay({ project, environment, key, raw, receivedAtUs }: DeadLetter): Promise<BatchAnswer | undefined> {
    if (raw === null || project === null || environment === null) return undefined;
    const value = parsed(raw);
    if (value === undefined) return undefined;
    const items = { values: [value], isBatch: false, rawOf: () => raw, isTooLarge: () => false };
    // The sender's clock was wrong by what it was when the event first came in; the log's known time is today's.
    const arrival = { receivedAtUs, nowUs: Date.now() * 1_000 };
    // A second rejection is answered; the letter is there already.
    return this.intake.take(items, this.scopes.named(project, environment, key ?? 'replay'), arrival, false);
  }

  private async letter(id: string): Promise<DeadLetter | undefined> {
    const match = /^(\d{1,4})-(\d{1,13})$/.exec(id);
    if (match === null) return undefined;
    const [partition, offset] = [Number(match[1]), Number(match[2])];
    const bounds = (await this.log.offsets(DEAD_LETTERS))[partition];
    if (bounds === undefined || offset < bounds.earliest || offset >= bounds.end) return undefined;
    const [message] = await this.log.read({ topic: DEAD_LETTERS, partition, offset, limit: 1 });
    return message?.offset === offset ? readLetter(message) : undefined;
  }
}

/** A raw event whose key nobody knows belongs to no project: only an admin may say where its place is. */
const adopted = (letter: DeadLetter | undefined, { role, project, environment }: CallerIdentity): DeadLetter | undefined =>
  letter?.project === null && role === 'admin' ? { ...letter, project, environment: environment ?? 'production' } : letter;

const parsed = (raw: string): unknown => {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
};

const readLetter = ({ value }: LogMessage): DeadLetter | undefined => {
  if (value === null) return undefined;
  try {
    return JSON.parse(Buffer.from(value).toString('utf8')) as DeadLetter;
  } catch {
    return undefined;
  }
};
