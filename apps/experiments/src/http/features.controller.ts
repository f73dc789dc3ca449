import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FeatureInput, featureInput, type ReasonedInput, reasonedInput, slug } from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { Answers, AnswersCommand, AnswersMade, listOf } from '../answers/answering.js';
import { feature, historyEntry } from '../answers/definition-answers.js';
import { ResourceDocument, ResourceHistory, ResourceList } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { FeatureMessage } from '../command/command-messages.js';
import { featureStream } from '../streams.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';
import { requireSameKey } from './definition-key.js';
import { InEnvironment, type VersionQuery, versionQuery } from './read-request.js';

@ApiTags('features')
@Controller('v1/features')
export class FeaturesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Scope('manager')
  @Commanding()
  @AnswersMade(feature)
  @ApiOperation({ summary: 'Define a new feature: version 1' })
  async create(@Project() project: string, @Body({ schema: featureInput }) definition: FeatureInput, @Asked() envelope: Envelope) {
    const command = { type: 'CreateFeature', definition, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new FeatureMessage(project, definition.key, command, envelope)), envelope.isDryRun);
  }

  @Put(':key')
  @Scope('manager')
  @Commanding()
  @AnswersMade(feature)
  @ApiOperation({ summary: 'Define a feature, or a new version of one: 201; 200 when the newest version says the same' })
  async define(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: featureInput }) definition: FeatureInput,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, definition.key);
    const command = { type: 'DefineFeature', definition, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new FeatureMessage(project, key, command, envelope)), envelope.isDryRun);
  }

  @Get()
  @Scope('analyst')
  @Answers(listOf(feature))
  @ApiOperation({ summary: 'The features of the project, each in its newest version' })
  async list(@Project() project: string) {
    return { items: await this.queries.execute(new ResourceList('feature', project)) };
  }

  @Get(':key')
  @Scope('analyst')
  @Answers(feature)
  @ApiOperation({ summary: 'One feature: its newest version, another one, or as it was at an instant' })
  async read(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Query({ schema: versionQuery }) { asOf, version }: VersionQuery,
  ) {
    return Answer.ok(
      await this.queries.execute(
        new ResourceDocument('feature', { stream: featureStream(project, key), asOfUs: asOf ?? null, version: version ?? null }),
      ),
    );
  }

  @Post(':key/kill')
  @HttpCode(200)
  @Scope('manager')
  @Commanding()
  @InEnvironment()
  @AnswersCommand(feature)
  @ApiOperation({ summary: 'The kill switch: within a second everybody gets the default variant in this environment, whatever runs' })
  kill(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: reasonedInput }) _: ReasonedInput,
    @Asked() envelope: Envelope,
  ) {
    return this.throwSwitch('KillFeature', { project, key, environment }, envelope);
  }

  @Post(':key/restore')
  @HttpCode(200)
  @Scope('manager')
  @Commanding()
  @InEnvironment()
  @AnswersCommand(feature)
  @ApiOperation({ summary: 'Takes the kill switch back: experiments and releases count again' })
  restore(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: reasonedInput }) _: ReasonedInput,
    @Asked() envelope: Envelope,
  ) {
    return this.throwSwitch('RestoreFeature', { project, key, environment }, envelope);
  }

  private async throwSwitch(
    type: 'KillFeature' | 'RestoreFeature',
    { project, key, environment }: { readonly project: string; readonly key: string; readonly environment: string },
    envelope: Envelope,
  ): Promise<Answer> {
    const command = { type, environment, atUs: envelope.origin.atUs } as const;
    return Answer.ok(await this.commands.execute(new FeatureMessage(project, key, command, envelope)));
  }

  @Get(':key/history')
  @Scope('analyst')
  @Answers(listOf(historyEntry))
  @ApiOperation({ summary: 'Everything that happened to it: when, by whom and why' })
  async history(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    return { items: await this.queries.execute(new ResourceHistory('feature', featureStream(project, key))) };
  }
}
