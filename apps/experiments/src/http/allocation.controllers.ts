/** Who is set apart before any experiment is asked. */
import { randomUUID } from 'node:crypto';
import { applyDecorators, Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type HoldoutInput,
  holdoutInput,
  type LayerInput,
  layerInput,
  type OverrideInput,
  overrideInput,
  type ReasonedInput,
  reasonedInput,
  slug,
} from '@rampart/contracts';
import { Environment, Project, Scope } from '@rampart/service-kit';
import { holdout, layer, override } from '../answers/allocation-answers.js';
import { Answers, AnswersCommand, AnswersMade, type DocumentedAnswer, listOf } from '../answers/answering.js';
import { historyEntry } from '../answers/definition-answers.js';
import { ResourceDocument, ResourceHistory, ResourceList } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { AllocationMessage, type AllocationRequest } from '../command/command-messages.js';
import { type AllocationKind, allocationStream } from '../streams.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';
import { requireSameKey } from './definition-key.js';
import { InEnvironment } from './read-request.js';

const Key = () => Param('key', { schema: slug });
const Defining = (answer: DocumentedAnswer, summary: string) =>
  applyDecorators(Put(':key'), Scope('manager'), Commanding(), AnswersMade(answer), ApiOperation({ summary }));
const Creating = (answer: DocumentedAnswer, summary: string) =>
  applyDecorators(Post(), Scope('manager'), Commanding(), AnswersMade(answer), ApiOperation({ summary }));
const Ending = (path: string, answer: DocumentedAnswer, summary: string) =>
  applyDecorators(Post(`:key/${path}`), HttpCode(200), Scope('manager'), Commanding(), AnswersCommand(answer), ApiOperation({ summary }));
const Reading = (path: string, answer: DocumentedAnswer, summary: string) =>
  applyDecorators(Get(path), Scope('analyst'), Answers(answer), ApiOperation({ summary }));

/** What the three have in common: read, list, history, and the one way in. */
abstract class AllocationResource {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  protected abstract readonly kind: AllocationKind;

  protected async listed(project: string) {
    return { items: await this.queries.execute(new ResourceList(this.kind, project)) };
  }

  protected async one(project: string, key: string) {
    const at = { stream: allocationStream(this.kind, project, key), asOfUs: null, version: null };
    return Answer.ok(await this.queries.execute(new ResourceDocument(this.kind, at)));
  }

  protected async historyOf(project: string, key: string) {
    return { items: await this.queries.execute(new ResourceHistory(this.kind, allocationStream(this.kind, project, key))) };
  }

  protected async defined(project: string, command: Extract<AllocationRequest, { definition: unknown }>, envelope: Envelope) {
    const { key } = command.definition;
    return Answer.made(await this.commands.execute(new AllocationMessage(this.kind, project, key, command, envelope)), envelope.isDryRun);
  }

  protected async ended(project: string, key: string, command: AllocationRequest, envelope: Envelope) {
    return Answer.ok(await this.commands.execute(new AllocationMessage(this.kind, project, key, command, envelope)));
  }
}

@ApiTags('allocation')
@Controller('v1/layers')
export class LayersController extends AllocationResource {
  protected readonly kind = 'layer';

  constructor(commands: CommandBus, queries: QueryBus) {
    super(commands, queries);
  }

  @Creating(layer, 'Define a new layer: 409 where its key is in use')
  create(@Project() project: string, @Body({ schema: layerInput }) definition: LayerInput, @Asked() envelope: Envelope) {
    const command = { type: 'DefineLayer', definition, seed: randomUUID(), isNew: true, atUs: envelope.origin.atUs } as const;
    return this.defined(project, command, envelope);
  }

  @Defining(layer, 'Define a layer: experiments in it share its units without overlap')
  define(
    @Project() project: string,
    @Key() key: string,
    @Body({ schema: layerInput }) definition: LayerInput,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, definition.key);
    return this.defined(project, { type: 'DefineLayer', definition, seed: randomUUID(), atUs: envelope.origin.atUs }, envelope);
  }

  @Reading('', listOf(layer), 'The layers of the project')
  list(@Project() project: string) {
    return this.listed(project);
  }

  @Reading(':key', layer, 'One layer')
  read(@Project() project: string, @Key() key: string) {
    return this.one(project, key);
  }

  @Reading(':key/history', listOf(historyEntry), 'Everything that happened to it: when, by whom and why')
  history(@Project() project: string, @Key() key: string) {
    return this.historyOf(project, key);
  }
}

@ApiTags('allocation')
@Controller('v1/holdouts')
export class HoldoutsController extends AllocationResource {
  protected readonly kind = 'holdout';

  constructor(commands: CommandBus, queries: QueryBus) {
    super(commands, queries);
  }

  @Creating(holdout, 'Define a new holdout: 409 where its key is in use')
  create(@Project() project: string, @Body({ schema: holdoutInput }) definition: HoldoutInput, @Asked() envelope: Envelope) {
    const command = { type: 'DefineHoldout', definition, seed: randomUUID(), isNew: true, atUs: envelope.origin.atUs } as const;
    return this.defined(project, command, envelope);
  }

  @Defining(holdout, 'Define a holdout: a share of the units gets the default variant of its features')
  define(
    @Project() project: string,
    @Key() key: string,
    @Body({ schema: holdoutInput }) definition: HoldoutInput,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, definition.key);
    return this.defined(project, { type: 'DefineHoldout', definition, seed: randomUUID(), atUs: envelope.origin.atUs }, envelope);
  }

  @Ending('end', holdout, 'End it: nobody is held out any more')
  end(@Project() project: string, @Key() key: string, @Body({ schema: reasonedInput }) _: ReasonedInput, @Asked() envelope: Envelope) {
    return this.ended(project, key, { type: 'EndHoldout', atUs: envelope.origin.atUs }, envelope);
  }

  @Reading('', listOf(holdout), 'The holdouts of the project')
  list(@Project() project: string) {
    return this.listed(project);
  }

  @Reading(':key', holdout, 'One holdout')
  read(@Project() project: string, @Key() key: string) {
    return this.one(project, key);
  }

  @Reading(':key/history', listOf(historyEntry), 'Everything that happened to it: when, by whom and why')
  history(@Project() project: string, @Key() key: string) {
    return this.historyOf(project, key);
  }
}

@ApiTags('allocation')
@Controller('v1/overrides')
export class OverridesController extends AllocationResource {
  protected readonly kind = 'override';

  constructor(commands: CommandBus, queries: QueryBus) {
    super(commands, queries);
  }

  @InEnvironment()
  @Creating(override, 'Define a new override: 409 where its key is in use')
  create(
    @Project() project: string,
    @Environment() environment: string,
    @Body({ schema: overrideInput }) definition: OverrideInput,
    @Asked() envelope: Envelope,
  ) {
    const command = { type: 'DefineOverride', environment, definition, isNew: true, atUs: envelope.origin.atUs } as const;
    return this.defined(project, command, envelope);
  }

  @InEnvironment()
  @Defining(override, 'Define an override: named units get a variant in one environment, and never enter a comparison')
  define(
    @Project() project: string,
    @Key() key: string,
    @Environment() environment: string,
    @Body({ schema: overrideInput }) definition: OverrideInput,
    @Asked() envelope: Envelope,
  ) {
    requireSameKey(key, definition.key);
    return this.defined(project, { type: 'DefineOverride', environment, definition, atUs: envelope.origin.atUs }, envelope);
  }

  @Ending('remove', override, 'Remove it: its units get what everybody gets')
  remove(@Project() project: string, @Key() key: string, @Body({ schema: reasonedInput }) _: ReasonedInput, @Asked() envelope: Envelope) {
    return this.ended(project, key, { type: 'RemoveOverride', atUs: envelope.origin.atUs }, envelope);
  }

  @Reading('', listOf(override), 'The overrides of the project, of all environments')
  list(@Project() project: string) {
    return this.listed(project);
  }

  @Reading(':key', override, 'One override')
  read(@Project() project: string, @Key() key: string) {
    return this.one(project, key);
  }

  @Reading(':key/history', listOf(historyEntry), 'Everything that happened to it: when, by whom and why')
  history(@Project() project: string, @Key() key: string) {
    return this.historyOf(project, key);
  }
}
