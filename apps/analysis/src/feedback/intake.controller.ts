/** How far the store has come, and the command to fill it anew. */
import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Freshness } from '@rampart/contracts';
import { Scope } from '@rampart/service-kit';
import { FreshnessService } from '../freshness/freshness.service.js';
import { Intake } from './intake.service.js';

@ApiTags('analysis')
@Controller('v1/analysis')
export class IntakeController {
  constructor(
    private readonly intake: Intake,
    private readonly hops: FreshnessService,
  ) {}

  @Get('freshness')
  @Scope('analyst', { project: false })
  @ApiOperation({ summary: 'How old what is known is, hop by hop, and how far each partition of the log lies behind' })
  freshness(): Promise<Freshness> {
    return this.hops.freshness(Date.now() * 1000);
  }

  @Post('rebuild')
  @HttpCode(202)
  @Scope('admin', { project: false })
  @ApiOperation({
    summary: 'Empty the feedback store and fill it again from the log; results are incomplete until the watermark has caught up',
  })
  async rebuild(): Promise<{ readonly message: string; readonly filling: string }> {
    const { filling } = await this.intake.rebuild();
    return { message: `The store is being filled from the log's beginning (filling ${filling}); see GET /v1/analysis/freshness.`, filling };
  }
}
