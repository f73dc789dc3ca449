import { Body, Controller, Get, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type EnvironmentInput, environmentInput } from '@rampart/contracts';
import { Project, Scope } from '@rampart/service-kit';
import { Answers, AnswersMade, listOf } from '../answers/answering.js';
import { environment as environmentAnswer } from '../answers/definition-answers.js';
import { ResourceList } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { EnvironmentMessage } from '../command/command-messages.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';

@ApiTags('environments')
@Controller('v1/environments')
export class EnvironmentsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Scope('manager')
  @Commanding()
  @AnswersMade(environmentAnswer)
  @ApiOperation({ summary: 'Create an environment; its kind never changes' })
  async create(
    @Project() project: string,
    @Body({ schema: environmentInput }) { key, kind }: EnvironmentInput,
    @Asked() envelope: Envelope,
  ) {
    const command = { type: 'CreateEnvironment', project, environment: key, kind, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new EnvironmentMessage(command, envelope)), envelope.isDryRun);
  }

  @Get()
  @Scope('analyst')
  @Answers(listOf(environmentAnswer))
  @ApiOperation({ summary: 'The environments of the project' })
  async list(@Project() project: string) {
    return { items: await this.queries.execute(new ResourceList('environment', project)) };
  }
}
