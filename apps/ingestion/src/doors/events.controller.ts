/** Where events come in: one, a batch, or one in binary mode; each is answered by itself. */
import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { type BatchAnswer, decimalText, type FeedbackRow, formatInstant } from '@rampart/contracts';
import { partitionOfRow } from '@rampart/feedback-rows';
import { Caller, type CallerIdentity, type CallingRequest, RawBody, Scope } from '@rampart/service-kit';
import { itemsOf } from '../intake/request-items.js';
import { Intake, isRejection } from '../running/intake.service.js';
import { LogLink } from '../running/log-link.js';
import { Quotas } from '../running/quotas.js';
import { EVENTS_TYPES, eventsBody } from './events-schema.js';
import { IntakeScopes } from './intake-scopes.js';

@Controller('v1')
export class EventsController {
  constructor(
    private readonly intake: Intake,
    private readonly scopes: IntakeScopes,
    private readonly link: LogLink,
    private readonly quotas: Quotas,
  ) {}

  @Post('events')
  @HttpCode(202)
  @Scope(['emit', 'client', 'import'], { audited: false })
  @RawBody()
  @ApiConsumes(...EVENTS_TYPES)
  @ApiBody({ schema: eventsBody })
  @ApiOperation({ summary: 'Send one event or a batch of at most 10,000 (1 MiB, gzip accepted)' })
  @ApiResponse({ status: 202, description: 'One answer per event, in order; accepted means that the log has it' })
  @ApiResponse({
    status: 503,
    description: 'The log takes nothing now: send all of it again after Retry-After. What was stored already counts once.',
  })
  @ApiResponse({
    status: 429,
    description: 'The quota of the key is used up: none of it was taken, send all of it again after Retry-After.',
  })
  async send(@Body() body: Buffer | undefined, @Req() request: CallingRequest, @Caller() caller: CallerIdentity): Promise<BatchAnswer> {
    const [items, scope] = [itemsOf(body, request.headers), this.scopes.of(caller)];
    return this.quotas.spending(items, scope, request.holder, () => this.intake.take(items, scope, justNow()));
  }

  @Post('ingest/validate')
  @HttpCode(200)
  @Scope(['emit', 'client', 'import', 'manager'], { audited: false })
  @RawBody()
  @ApiConsumes(...EVENTS_TYPES)
  @ApiBody({ schema: eventsBody })
  @ApiOperation({ summary: 'What would become of these events: the rows that would be stored, or why not. Stores nothing.' })
  @ApiOkResponse({ description: 'One answer per event, in order' })
  @ApiResponse({
    status: 429,
    description: 'Checking spends the quota of the key as sending does, and it is used up: again after Retry-After.',
  })
  validate(@Body() body: Buffer | undefined, @Req() request: CallingRequest, @Caller() caller: CallerIdentity) {
    const items = itemsOf(body, request.headers);
    this.quotas.spend(items, request.holder);
    const outcomes = this.intake.judge(items, this.scopes.of(caller), justNow());
    return {
      accepted: outcomes.filter((outcome) => !isRejection(outcome)).length,
      rejected: outcomes.filter(isRejection).length,
      items: outcomes.map((outcome, index) =>
        isRejection(outcome)
          ? { status: 'rejected', ...outcome, path: items.isBatch ? `/${index}${outcome.path}` : outcome.path }
          : { status: 'accepted', rows: outcome.map((row) => shownRow(row, this.link.partitions)) },
      ),
    };
  }
}

const justNow = () => {
  const nowUs = Date.now() * 1_000;
  return { receivedAtUs: nowUs, nowUs };
};

/** A row for people: instants and decimals instead of counts. */
const shownRow = (row: FeedbackRow, partitions: number) => ({
  ...row,
  at: formatInstant(row.at),
  ...(row.knownAt === undefined ? {} : { knownAt: formatInstant(row.knownAt) }),
  ...(row.value === undefined ? {} : { value: decimalText(BigInt(row.value)) }),
  partition: partitionOfRow(row, partitions),
});
