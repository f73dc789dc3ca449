/** How far the store has come, and the command to fill it anew. */
import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Freshness } from '@rampart/contracts';
import { Scope } from '@rampart/service-kit';
import { Intake } from './intake.service.js';
import { Watermark } from './watermark.js';

@ApiTags('analysis')
@Controller('v1/analysis')
export class IntakeController {
  constructor(
    private readonly intake: Intake,
    private readonly watermark: Watermark,
  ) {}

  @Get('freshness')
  @Scope('analyst', { project: false })
  @ApiOperation({ summary: 'Up to when everything is stored, and how far each partition lies behind' })
  freshness(): Promise<Freshness> {
    return this.watermark.freshness(Date.now() * 1000);
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
