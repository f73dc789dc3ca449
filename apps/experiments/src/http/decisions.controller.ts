import { Controller, Get, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { slug } from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Answers } from '../answers/answering.js';
import { decision, decisionList } from '../answers/experiment-answers.js';
import { DecisionDocument, DecisionListing } from '../decisions/decision-queries.js';
import { Answer } from './answer.interceptor.js';
import { InEnvironment } from './read-request.js';

const recordId = z.string().regex(/^[0-9a-f]{64}$/, 'must be a record’s id: 64 hex digits');

const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('records at most'),
  before: recordId.optional().describe('go on after this record, the last one of the page before: its `next`'),
});
type PageQuery = z.infer<typeof pageQuery>;

@ApiTags('decisions')
@Controller('v1')
export class DecisionsController {
  constructor(private readonly queries: QueryBus) {}

  @Get('decisions/:id')
  @Scope('analyst')
  @Answers(decision)
  @ApiOperation({
    summary: 'One decision record: the definition, sums and verdict as they were, the record before it, and when it was appended',
  })
  async read(@Project() project: string, @Param('id', { schema: recordId }) id: string) {
    const body = await this.queries.execute(new DecisionDocument(project, id));
    return Answer.ok({ revision: body.revision, body });
  }

  @Get('experiments/:key/decisions')
  @Scope('analyst')
  @InEnvironment()
  @Answers(decisionList)
  @ApiOperation({ summary: 'The decision records of an experiment in an environment, newest first, one line each' })
  list(
    @Project() project: string,
    @Param('key', { schema: slug }) experiment: string,
    @Environment() environment: string,
    @Query({ schema: pageQuery }) { limit, before }: PageQuery,
  ) {
    return this.queries.execute(new DecisionListing({ project, experiment, environment, limit, before: before ?? null }));
  }
}
