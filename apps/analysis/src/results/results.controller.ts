/** The results API: what an experiment shows, who is in it, and the sums from which anybody can recompute it. */
import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import {
  type Exploration,
  metricDefinition,
  type Population,
  parseInstant,
  type Results,
  type SrmResult,
  type SufficientStatistics,
} from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { instantText } from './instant-text.js';
import { type ResultsRequest, ResultsService } from './results.service.js';
import { statisticsCsv } from './statistics-csv.js';

const instant = instantText.describe('only what was known by then counts; beyond the watermark: 409');

const scope = { project: z.string().optional(), environment: z.string().optional() };
const populationQuery = z.strictObject({ ...scope, asOf: instant.optional() });
type PopulationQuery = z.infer<typeof populationQuery>;
const resultsQuery = z.strictObject({
  ...scope,
  asOf: instant.optional(),
  dimension: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('a property of the exposure events: effects by its values at each unit’s first exposure, for display'),
  interaction: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe(
      'another experiment on the same type of unit: effects by the arm that units have there, and whether they differ, for display',
    ),
  hops: z.literal('tracked').optional().describe('quality.hops has the tracked units too, which takes another count of all events'),
});
type ResultsQuery = z.infer<typeof resultsQuery>;
const statisticsQuery = z.strictObject({ ...scope, asOf: instant.optional(), format: z.enum(['json', 'csv']).default('json') });
type StatisticsQuery = z.infer<typeof statisticsQuery>;

const exploreBody = z.strictObject({ definition: metricDefinition });
type ExploreBody = z.infer<typeof exploreBody>;

/** Of Fastify's reply, what is needed to answer with a table. */
interface Reply {
  header(name: string, value: string): unknown;
}

export interface StatisticsAnswer
  extends Pick<Results, 'experiment' | 'definitionVersion' | 'status' | 'asOf' | 'watermark' | 'evidenceDigest'> {
  readonly sufficientStatistics: readonly SufficientStatistics[];
}

export interface PopulationAnswer extends Pick<Results, 'experiment' | 'status' | 'asOf' | 'watermark'> {
  readonly srm: SrmResult;
  readonly population: Population;
}

@ApiTags('results')
@Scope('analyst', { audited: false })
@Controller('v1/experiments/:key')
export class ResultsController {
  constructor(private readonly service: ResultsService) {}

  @Get('results')
  @ApiOperation({ summary: 'Effects, quality, verdict and evidence of an experiment in one environment' })
  @ApiOkResponse({ description: 'numbers that can’t be had are null, or {refused: reason}; never NaN' })
  results(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: resultsQuery }) query: ResultsQuery,
  ): Promise<Results> {
    const { dimension, interaction, hops } = query;
    return this.service.results({ ...requestOf(project, environment, key, query.asOf), dimension, interaction, hops });
  }

  @Post('explore')
  @HttpCode(200)
  @ApiOperation({
    summary: 'A metric of the moment on the units that the experiment compares: marked and corrected as exploratory; stores nothing',
  })
  explore(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Body({ schema: exploreBody }) { definition }: ExploreBody,
    @Query({ schema: populationQuery }) query: PopulationQuery,
  ): Promise<Exploration> {
    return this.service.explore(requestOf(project, environment, key, query.asOf), definition);
  }

  @Get('statistics')
  @ApiOperation({ summary: 'Exact sums per metric, variant and segment, as JSON or CSV' })
  @ApiProduces('application/json', 'text/csv')
  async statistics(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: statisticsQuery }) query: StatisticsQuery,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<StatisticsAnswer | string> {
    const results = await this.resultsOf(project, environment, key, query.asOf);
    const { experiment, definitionVersion, status, asOf, watermark, evidenceDigest, sufficientStatistics } = results;
    if (query.format === 'json') return { experiment, definitionVersion, status, asOf, watermark, evidenceDigest, sufficientStatistics };
    reply.header('content-type', 'text/csv; charset=utf-8; header=present');
    reply.header('content-disposition', `attachment; filename="${encodeURIComponent(key)}-statistics.csv"`);
    return statisticsCsv(sufficientStatistics);
  }

  @Get('population')
  @ApiOperation({ summary: 'Who is counted, who is left out and why, and the sample ratio' })
  async population(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: populationQuery }) query: PopulationQuery,
  ): Promise<PopulationAnswer> {
    const { experiment, status, asOf, watermark, srm, population } = await this.resultsOf(project, environment, key, query.asOf);
    return { experiment, status, asOf, watermark, srm, population };
  }

  private resultsOf(project: string, environment: string, experiment: string, asOf: string | undefined): Promise<Results> {
    return this.service.results(requestOf(project, environment, experiment, asOf));
  }
}

const requestOf = (project: string, environment: string, experiment: string, asOf: string | undefined): ResultsRequest => {
  const asOfUs = asOf === undefined ? null : (parseInstant(asOf) ?? null);
  return { project, environment, experiment, asOfUs, nowUs: Date.now() * 1000 };
};
