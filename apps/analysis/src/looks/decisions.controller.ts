/** Replay: whether the rows and rules of today still say what a record says. */
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { parseInstant, type Replay, type ReplayedPage, slug } from '@rampart/contracts';
import { Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { ReplayService } from './replay.service.js';

const replayInput = z.strictObject({
  project: slug.optional().describe('default: all'),
  environment: slug.optional(),
  experiment: slug.optional(),
  since: z
    .string()
    .refine((text) => parseInstant(text) !== undefined, 'must be an RFC 3339 instant with a zone')
    .optional()
    .describe('only records that were appended then or later'),
  after: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be `next` of the page before')
    .optional(),
  limit: z.int().min(1).max(200).default(50),
});
type ReplayInput = z.infer<typeof replayInput>;

@ApiTags('decisions')
@Controller('v1/decisions')
export class DecisionsController {
  constructor(private readonly replays: ReplayService) {}

  @Post('replay')
  @HttpCode(200)
  @Scope('admin', { project: false, audited: false })
  @ApiOperation({
    summary: 'Recount decision records in the order in which they were appended, a page at a time; of all projects unless one is named',
  })
  replayAll(@Body({ schema: replayInput }) { since, after, ...asked }: ReplayInput): Promise<ReplayedPage> {
    return this.replays.replayAll({ ...asked, sinceUs: since === undefined ? undefined : parseInstant(since), after: after ?? null });
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Scope('analyst', { audited: false })
  @ApiOperation({ summary: 'Recount a decision record from the log’s rows and compare both digests; names every sum that differs' })
  replay(@Param('id') id: string, @Project() project: string): Promise<Replay> {
    return this.replays.replay(project, id);
  }
}
