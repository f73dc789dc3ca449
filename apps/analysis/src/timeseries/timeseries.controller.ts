/** The course of an experiment, for charts. */
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { parseInstant, type Timeseries } from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { instantText } from '../results/instant-text.js';
import { TimeseriesService } from './timeseries.service.js';

const timeseriesQuery = z.strictObject({
  project: z.string().optional(),
  environment: z.string().optional(),
  from: instantText.optional().describe('default: the start of the comparison'),
  until: instantText.optional().describe('default: the watermark, or the end of the comparison; beyond the watermark: 409'),
  points: z.coerce.number().int().min(1).max(200).default(30).describe('at most this many, at round moments, and the newest'),
});
type TimeseriesQuery = z.infer<typeof timeseriesQuery>;

@ApiTags('results')
@Scope('analyst')
@Controller('v1/experiments/:key')
export class TimeseriesController {
  constructor(private readonly service: TimeseriesService) {}

  @Get('timeseries')
  @ApiOperation({ summary: 'Effects and intervals as of successive moments, with what the decision records said then' })
  timeseries(
    @Param('key') key: string,
    @Project() project: string,
    @Environment() environment: string,
    @Query({ schema: timeseriesQuery }) { from, until, points }: TimeseriesQuery,
  ): Promise<Timeseries> {
    const instant = (text: string | undefined) => (text === undefined ? null : (parseInstant(text) ?? null));
    return this.service.timeseries({ project, environment, experiment: key, fromUs: instant(from), untilUs: instant(until), points });
  }
}
