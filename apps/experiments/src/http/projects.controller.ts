import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type ProjectInput, projectInput, type ReasonedInput, reasonedInput, slug } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { Caller, type CallerIdentity, Scope } from '@rampart/service-kit';
import { Answers, AnswersMade, listOf } from '../answers/answering.js';
import { project as projectAnswer, removal as removalAnswer } from '../answers/definition-answers.js';
import { ResourceDocument, ResourceList } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { ProjectMessage } from '../command/command-messages.js';
import { ProjectRemoval } from '../project-removal.js';
import { projectStream } from '../streams.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';

@ApiTags('projects')
@Controller('v1/projects')
export class ProjectsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly removal: ProjectRemoval,
  ) {}

  @Post()
  @Scope('admin', { project: false })
  @Commanding()
  @AnswersMade(projectAnswer)
  @ApiOperation({ summary: 'Create a project' })
  async create(@Body({ schema: projectInput }) { key, name }: ProjectInput, @Asked() envelope: Envelope) {
    const { atUs } = envelope.origin;
    return Answer.made(
      await this.commands.execute(new ProjectMessage({ type: 'CreateProject', project: key, name, atUs }, envelope)),
      envelope.isDryRun,
    );
  }

  @Get()
  @Scope('analyst', { project: false })
  @Answers(listOf(projectAnswer))
  @ApiOperation({ summary: 'The projects that this key may see' })
  async list(@Caller() { project, role }: CallerIdentity) {
    const all = await this.queries.execute(new ResourceList('project', null));
    return { items: role === 'admin' ? all : all.filter(({ key }) => key === project) };
  }

  @Delete(':key')
  @Scope('admin', { project: false })
  @Commanding()
  @Answers(removalAnswer)
  @ApiOperation({
    summary:
      'Remove a project: its rollouts are rolled back, its experiments stopped, its keys revoked. Its history stays, its key is never used again',
  })
  async remove(
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: reasonedInput }) _: ReasonedInput,
    @Asked() envelope: Envelope,
  ) {
    return this.removal.remove(key, envelope);
  }

  @Get(':key')
  @Scope('analyst', { project: false })
  @Answers(projectAnswer)
  @ApiOperation({ summary: 'One project' })
  async read(@Param('key', { schema: slug }) key: string, @Caller() { project, role }: CallerIdentity) {
    if (role !== 'admin' && key !== project)
      throw new DomainError('project-not-found', `there is no project "${key}" here`, { project: key });
    return Answer.ok(
      await this.queries.execute(new ResourceDocument('project', { stream: projectStream(key), asOfUs: null, version: null })),
    );
  }
}
