/** What an experiment would take, before it is defined: from what is expected, which asks nobody's data, or from what another one has found. */
import { Body, Controller, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type HistoryQuestion,
  historyQuestion,
  type PowerPlan,
  type PowerPlanFromHistory,
  type PowerQuestion,
  powerQuestion,
} from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { ResultsService } from '../results/results.service.js';
import { expectedMetric } from './expected-metric.js';
import { expectedFromHistory } from './metric-history.js';
import { PlanDesk } from './plan-desk.js';

/** The same of both routes. */
const busy = { status: 503, description: 'Too many plans wait to be computed: ask again after Retry-After' };
const historyQuery = z.strictObject({ project: z.string().optional(), environment: z.string().optional() });

@ApiTags('planning')
@Controller('v1')
export class PlansController {
  constructor(
    private readonly service: ResultsService,
    private readonly desk: PlanDesk,
  ) {}

  @Post('plans/power')
  @HttpCode(200)
  @Scope('analyst', { project: false, audited: false })
  @ApiOperation({ summary: 'How many units an effect takes, how long that is, and what could be found with fewer' })
  @ApiOkResponse({ description: 'Units, days and effects; what can’t be planned is said' })
  @ApiResponse(busy)
  async power(@Body({ schema: powerQuestion }) question: PowerQuestion): Promise<PowerPlan> {
    return this.desk.plan({ question, expected: expectedMetric(question) });
  }

  @Post('experiments/:key/power')
  @HttpCode(200)
  @Scope('analyst', { audited: false })
  @ApiOperation({ summary: 'The same for a metric of an experiment that has run: mean, spread and correlation are those of its control' })
  @ApiOkResponse({ description: 'The plan, and the history it was made from' })
  @ApiResponse(busy)
  async fromHistory(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Body({ schema: historyQuestion }) question: HistoryQuestion,
    @Query({ schema: historyQuery }) _query: z.infer<typeof historyQuery>,
  ): Promise<PowerPlanFromHistory> {
    const asked = { project, environment, experiment: key, asOfUs: null, nowUs: Date.now() * 1_000 };
    const { expected, history } = expectedFromHistory(question, await this.service.results(asked));
    return { ...(await this.desk.plan({ question, expected })), history };
  }
}
