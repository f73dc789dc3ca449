/** The command to fill the store anew. */
import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Scope } from '@rampart/service-kit';
import { Intake } from './intake.service.js';

@ApiTags('analysis')
@Controller('v1/analysis')
export class IntakeController {
  constructor(private readonly intake: Intake) {}

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
