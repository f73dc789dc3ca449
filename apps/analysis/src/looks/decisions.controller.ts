/** Replay: whether the rows and rules of today still say what a record says. */
import { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Param, Post, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { parseInstant, type Replay, type ReplayedPage, type RowCheckLine, slug } from '@rampart/contracts';
import { Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { ReplayService } from './replay.service.js';
import { RowCheck } from './row-check.service.js';

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
  constructor(
    private readonly replays: ReplayService,
    private readonly rows: RowCheck,
  ) {}

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

  @Post(':id/rows')
  @HttpCode(200)
  @Scope('admin', { audited: false })
  @ApiOperation({
    summary: 'Hold every row that a record could be counted from against the log, and name those that differ: use rampart replay decisions',
  })
  @ApiResponse({
    status: 200,
    description: 'A line of JSON now and then that says how far it is, and the last one what was found',
    content: { 'application/x-ndjson': { schema: { type: 'string' }, example: '{"rows":[],"hasMore":false,"judgedSince":null}' } },
  })
  async check(@Param('id') id: string, @Project() project: string): Promise<StreamableFile> {
    return new StreamableFile(Readable.from(texts(await this.rows.lines(project, id))), { type: 'application/x-ndjson' });
  }
}

async function* texts(lines: AsyncIterable<RowCheckLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
