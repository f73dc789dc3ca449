/** What an experiment would take, before it is defined. Asks nobody's data. */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type PowerPlan, type PowerQuestion, powerQuestion } from '@rampart/contracts';
import { Scope } from '@rampart/service-kit';
import { powerPlan } from './power-plan.js';

@ApiTags('planning')
@Controller('v1/plans')
export class PlansController {
  @Post('power')
  @HttpCode(200)
  @Scope('analyst', { project: false, audited: false })
  @ApiOperation({ summary: 'How many units an effect takes, how long that is, and what could be found with fewer' })
  power(@Body({ schema: powerQuestion }) question: PowerQuestion): PowerPlan {
    return powerPlan(question);
  }
}
