import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type MetricDefinition, metricDefinition, slug } from '@rampart/contracts';
import { Project, Scope } from '@rampart/service-kit';
import { Answers, AnswersMade, listOf } from '../answers/answering.js';
import { historyEntry, metric } from '../answers/definition-answers.js';
import { ResourceDocument, ResourceHistory, ResourceList } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { MetricMessage } from '../command/command-messages.js';
import { metricStream } from '../streams.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';
import { requireSameKey } from './definition-key.js';
import { type VersionQuery, versionQuery } from './read-request.js';

@ApiTags('metrics')
@Controller('v1/metrics')
export class MetricsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Scope('manager')
  @Commanding()
  @AnswersMade(metric)
  @ApiOperation({ summary: 'Define a new metric: version 1' })
  async create(@Project() project: string, @Body({ schema: metricDefinition }) definition: MetricDefinition, @Asked() envelope: Envelope) {
    const command = { type: 'CreateMetric', definition, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new MetricMessage(project, command, envelope)), envelope.isDryRun);
  }

  @Put(':key')
  @Scope('manager')
  @Commanding()
  @AnswersMade(metric)
  @ApiOperation({ summary: 'Define a metric, or a new version of one: 201; 200 when the newest version says the same' })
  async define(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: metricDefinition }) definition: MetricDefinition,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, definition.key);
    const command = { type: 'DefineMetric', definition, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new MetricMessage(project, command, envelope)), envelope.isDryRun);
  }

  @Get()
  @Scope('analyst')
  @Answers(listOf(metric))
  @ApiOperation({ summary: 'The metrics of the project, each in its newest version' })
  async list(@Project() project: string) {
    return { items: await this.queries.execute(new ResourceList('metric', project)) };
  }

  @Get(':key')
  @Scope('analyst')
  @Answers(metric)
  @ApiOperation({ summary: 'One metric: its newest version, another one, or as it was at an instant' })
  async read(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Query({ schema: versionQuery }) { asOf, version }: VersionQuery,
  ) {
    return Answer.ok(
      await this.queries.execute(
        new ResourceDocument('metric', { stream: metricStream(project, key), asOfUs: asOf ?? null, version: version ?? null }),
      ),
    );
  }

  @Get(':key/history')
  @Scope('analyst')
  @Answers(listOf(historyEntry))
  @ApiOperation({ summary: 'Everything that happened to it: when, by whom and why' })
  async history(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    return { items: await this.queries.execute(new ResourceHistory('metric', metricStream(project, key))) };
  }
}
