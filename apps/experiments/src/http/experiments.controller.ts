import { randomUUID } from 'node:crypto';
import { applyDecorators, Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ActionInput,
  actionInput,
  type DecisionInput,
  decisionInput,
  type ExperimentDefinition,
  experimentDefinition,
  slug,
} from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { Answers, AnswersCommand, AnswersMade, listOf } from '../answers/answering.js';
import { historyEntry } from '../answers/definition-answers.js';
import { checklist as checklistAnswer, experiment } from '../answers/experiment-answers.js';
import { ResourceDocument, ResourceHistory, ResourceList, StartChecklist } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { ExperimentMessage } from '../command/command-messages.js';
import type { ExperimentRequest } from '../command/surroundings.js';
import { experimentStream } from '../streams.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';
import { requireSameKey } from './definition-key.js';
import {
  InEnvironment,
  type RedefinitionQuery,
  redefinitionQuery,
  type StatusQuery,
  statusQuery,
  type VersionQuery,
  versionQuery,
} from './read-request.js';

/** An experiment's life, one route a step; each acts in one environment. */
const Action = (path: string, summary: string) =>
  applyDecorators(
    Post(`:key/${path}`),
    HttpCode(200),
    Scope('manager'),
    Commanding(),
    InEnvironment(),
    AnswersCommand(experiment),
    ApiOperation({ summary }),
  );

@ApiTags('experiments')
@Controller('v1/experiments')
export class ExperimentsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Scope('manager')
  @Commanding()
  @AnswersMade(experiment)
  @ApiOperation({ summary: 'Define an experiment: a draft in every environment' })
  async create(
    @Project() project: string,
    @Body({ schema: experimentDefinition }) definition: ExperimentDefinition,
    @Asked() envelope: Envelope,
  ) {
    const command = { type: 'DefineExperiment', definition, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new ExperimentMessage(project, definition.key, command, envelope)), envelope.isDryRun);
  }

  @Put(':key')
  @Scope('manager')
  @Commanding()
  @AnswersCommand(experiment)
  @ApiOperation({
    summary:
      'Change the definition. Where it runs, only what assigns nothing, and of its plan only what is not frozen; the former: pause, change, resume; the latter: newComparison',
  })
  async redefine(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: experimentDefinition }) definition: ExperimentDefinition,
    @Query({ schema: redefinitionQuery }) { newComparison }: RedefinitionQuery,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, definition.key);
    const asked = newComparison ? { newComparisonSeed: randomUUID() } : {};
    return this.act(project, key, { type: 'RedefineExperiment', definition, ...asked, atUs: envelope.origin.atUs }, envelope);
  }

  @Get()
  @Scope('analyst')
  @Answers(listOf(experiment))
  @ApiOperation({ summary: 'The experiments of the project, or those that have a status, in one environment or in any' })
  async list(@Project() project: string, @Query({ schema: statusQuery }) filter: StatusQuery) {
    return { items: await this.queries.execute(new ResourceList('experiment', project, filter)) };
  }

  @Get(':key')
  @Scope('analyst')
  @Answers(experiment)
  @ApiOperation({ summary: 'One experiment with what it does in each environment: as it is, or as it was at an instant' })
  async read(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Query({ schema: versionQuery }) { asOf, version }: VersionQuery,
  ) {
    const at = { stream: experimentStream(project, key), asOfUs: asOf ?? null, version: version ?? null };
    return Answer.ok(await this.queries.execute(new ResourceDocument('experiment', at)));
  }

  @Get(':key/history')
  @Scope('analyst')
  @Answers(listOf(historyEntry))
  @ApiOperation({ summary: 'Everything that happened to it: when, by whom and why' })
  async history(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    return { items: await this.queries.execute(new ResourceHistory('experiment', experimentStream(project, key))) };
  }

  @Get(':key/checklist')
  @Scope('analyst')
  @InEnvironment()
  @Answers(checklistAnswer)
  @ApiOperation({ summary: 'What keeps it from starting in an environment, and what should be known before' })
  checklist(@Project() project: string, @Param('key', { schema: slug }) key: string, @Environment() environment: string) {
    return this.queries.execute(new StartChecklist(project, key, environment));
  }

  @Action('start', 'Start it: metric versions are pinned, the first segment opens')
  start(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: actionInput }) _: ActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'StartExperiment', environment, seed: randomUUID(), atUs: envelope.origin.atUs }, envelope);
  }

  @Action('pause', 'Enrol nobody for a while')
  pause(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: actionInput }) _: ActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'PauseExperiment', environment, atUs: envelope.origin.atUs }, envelope);
  }

  @Action('resume', 'Go on with the newest definition; what assigns differently opens a new comparison')
  resume(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: actionInput }) _: ActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'ResumeExperiment', environment, seed: randomUUID(), atUs: envelope.origin.atUs }, envelope);
  }

  @Action('freeze-enrolment', 'Enrol nobody any more; those enrolled keep their variant')
  freezeEnrolment(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: actionInput }) _: ActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'FreezeEnrolment', environment, atUs: envelope.origin.atUs }, envelope);
  }

  @Action(
    'decide',
    'End it: ship a treatment, stop, or say that it is inconclusive. What became known after the newest look, or the record that is named, no longer counts',
  )
  decide(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: decisionInput }) { outcome, arm, reason, record }: DecisionInput,
    @Asked() envelope: Envelope,
  ) {
    const { atUs } = envelope.origin;
    const decision = { outcome, arm: arm ?? null, reason, record: record ?? null };
    return this.act(project, key, { type: 'DecideExperiment', environment, ...decision, atUs }, envelope);
  }

  @Action('archive', 'Put a decided one away')
  archive(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Environment() environment: string,
    @Body({ schema: actionInput }) _: ActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'ArchiveExperiment', environment, atUs: envelope.origin.atUs }, envelope);
  }

  private async act(project: string, key: string, command: ExperimentRequest, envelope: Envelope): Promise<Answer> {
    return Answer.ok(await this.commands.execute(new ExperimentMessage(project, key, command, envelope)));
  }
}
