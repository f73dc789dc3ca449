import { applyDecorators, Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ROLLOUT_STATUSES, type RolloutActionInput, type RolloutInput, rolloutActionInput, rolloutInput, slug } from '@rampart/contracts';
import { Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Answers, AnswersCommand, AnswersMade, listOf } from '../answers/answering.js';
import { rollout as rolloutAnswer, rolloutHistoryEntry } from '../answers/rollout-answers.js';
import type { Envelope } from '../command/command-door.js';
import { Answer } from '../http/answer.interceptor.js';
import { Asked, Commanding } from '../http/command-request.js';
import { requireSameKey } from '../http/definition-key.js';
import { RolloutByKey, RolloutHistory, RolloutList } from './rollout-handlers.js';
import { definitionOfInput } from './rollout-input.js';
import { RolloutMessage, type RolloutRequest } from './rollout-message.js';

const listQuery = z.object({ environment: slug.optional(), status: z.enum(ROLLOUT_STATUSES).optional() });
type ListQuery = z.infer<typeof listQuery>;

const Action = (path: string, summary: string) =>
  applyDecorators(
    Post(`:key/${path}`),
    HttpCode(200),
    Scope('manager'),
    Commanding(),
    AnswersCommand(rolloutAnswer),
    ApiOperation({ summary }),
  );

@ApiTags('rollouts')
@Controller('v1/rollouts')
export class RolloutsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Scope('manager')
  @Commanding()
  @AnswersMade(rolloutAnswer)
  @ApiOperation({ summary: 'Define a rollout of a draft experiment: by its stages, or by a template' })
  async create(@Project() project: string, @Body({ schema: rolloutInput }) input: RolloutInput, @Asked() envelope: Envelope) {
    const command = { type: 'DefineRollout', definition: definitionOfInput(input) } as const;
    return Answer.made(await this.commands.execute(new RolloutMessage(project, input.key, command, envelope)), envelope.isDryRun);
  }

  @Put(':key')
  @Scope('manager')
  @Commanding()
  @AnswersCommand(rolloutAnswer)
  @ApiOperation({
    summary: 'Change the definition: all of a draft’s; once it has begun, the stages still to come, its name, freshness and mode',
  })
  async redefine(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutInput }) input: RolloutInput,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, input.key);
    return this.act(project, key, { type: 'RedefineRollout', definition: definitionOfInput(input) }, envelope);
  }

  @Get()
  @Scope('analyst')
  @Answers(listOf(rolloutAnswer))
  @ApiOperation({ summary: 'The rollouts of the project with what each is at and waits for' })
  async list(@Project() project: string, @Query({ schema: listQuery }) filter: ListQuery) {
    return { items: await this.queries.execute(new RolloutList(project, filter)) };
  }

  @Get(':key')
  @Scope('analyst')
  @Answers(rolloutAnswer)
  @ApiOperation({ summary: 'One rollout: its stage, the newest look at it, and what it waits for, each with both numbers' })
  async read(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    return Answer.ok(await this.queries.execute(new RolloutByKey(project, key)));
  }

  @Get(':key/history')
  @Scope('analyst')
  @Answers(listOf(rolloutHistoryEntry))
  @ApiOperation({ summary: 'Everything that happened to it: when, by whom, why, and upon which record' })
  async history(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    return { items: await this.queries.execute(new RolloutHistory(project, key)) };
  }

  @Action('start', 'Start it: its experiment starts at the coverage of the first stage')
  start(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) _: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'StartRollout' }, envelope);
  }

  @Action('hold', 'Stay at this stage: units go on being enrolled, harm still rolls back')
  hold(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) _: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'HoldRollout' }, envelope);
  }

  @Action('resume', 'Go on after a hold or a pause; the cause of the hold has been seen, and does not hold this stage again')
  resume(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) _: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'ResumeRollout' }, envelope);
  }

  @Action('pause', 'Give everybody the default variant for a while: clocks stand still')
  pause(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) _: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'PauseRollout' }, envelope);
  }

  @Action('advance', 'Go to the next stage; over closed gates by force alone: 409 lists them')
  advance(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) { force }: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'AdvanceStage', isForced: force }, envelope);
  }

  @Action('approve', 'Approve the end of this stage: it ends once its other gates are open too')
  approve(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) _: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'ApproveStage' }, envelope);
  }

  @Action('roll-back', 'End it: everybody gets the control, its experiment is decided')
  rollBack(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) _: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'RollBack' }, envelope);
  }

  @Action('complete', 'Release it now: everybody gets the treatment; unless its last stage says go by force alone')
  complete(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: rolloutActionInput }) { force }: RolloutActionInput,
    @Asked() envelope: Envelope,
  ) {
    return this.act(project, key, { type: 'CompleteRollout', isForced: force }, envelope);
  }

  private async act(project: string, key: string, command: RolloutRequest, envelope: Envelope): Promise<Answer> {
    return Answer.ok(await this.commands.execute(new RolloutMessage(project, key, command, envelope)));
  }
}
