/** Replay: whether the rows and rules of today still say what a record says. */
import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Replay } from '@rampart/contracts';
import { Project, Scope } from '@rampart/service-kit';
import { ReplayService } from './replay.service.js';

@ApiTags('decisions')
@Scope('analyst', { audited: false })
@Controller('v1/decisions')
export class DecisionsController {
  constructor(private readonly replays: ReplayService) {}

  @Post(':id/replay')
  @HttpCode(200)
  @ApiOperation({ summary: 'Recount a decision record from the log’s rows and compare both digests; names every sum that differs' })
  replay(@Param('id') id: string, @Project() project: string): Promise<Replay> {
    return this.replays.replay(project, id);
  }
}
