import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Answers } from '../answers/answering.js';
import { rebuilt as rebuiltAnswer } from '../answers/definition-answers.js';
import { recordedDigests } from '../answers/experiment-answers.js';
import { type DigestPage, RecordedDigests } from '../decisions/decision-queries.js';
import { REBUILDABLE, Rebuilder } from '../rebuilder.js';

const rebuildInput = z
  .strictObject({
    names: z
      .array(z.enum(REBUILDABLE))
      .min(1)
      .default([...REBUILDABLE]),
  })
  .prefault({});
type RebuildInput = z.infer<typeof rebuildInput>;

const digestsQuery = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(1_000).default(500).describe('events of the history that a page looks at, records or not'),
});
type DigestsQuery = z.infer<typeof digestsQuery>;

@ApiTags('admin')
@Controller('v1/admin')
export class AdminController {
  constructor(
    private readonly rebuilder: Rebuilder,
    private readonly queries: QueryBus,
  ) {}

  @Get('decisions')
  @Scope('admin', { project: false })
  @Answers(recordedDigests)
  @ApiOperation({ summary: 'SHA-256 of every decision record in the history, of all projects: what decisions.v1 must have, too' })
  digests(@Query({ schema: digestsQuery }) { after, limit }: DigestsQuery): Promise<DigestPage> {
    return this.queries.execute(new RecordedDigests(after, limit));
  }

  @Post('rebuild')
  @HttpCode(200)
  @Scope('admin', { project: false })
  @Answers(rebuiltAnswer)
  @ApiOperation({ summary: 'Make the lists anew from the event store, and publish what definitions.v1 and decisions.v1 lack' })
  async run(@Body({ schema: rebuildInput }) { names }: RebuildInput) {
    const rebuilt = await this.rebuilder.run(names);
    return { message: `Rebuilt ${rebuilt.map(({ name, events }) => `${name} from ${events} events`).join(', ')}.`, rebuilt };
  }
}
