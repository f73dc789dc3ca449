import { Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import {
  type ActionInput,
  actionInput,
  type KeyInput,
  type KeyQuotaInput,
  keyInput,
  parseInstant,
  type QuotaInput,
  quotaInput,
  type RotationInput,
  rotationInput,
  slug,
} from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { Caller, type CallerIdentity, Scope } from '@rampart/service-kit';
import { Answers, AnswersCommand, AnswersMade, listOf } from '../answers/answering.js';
import { apiKey, listedKey, newKey } from '../answers/definition-answers.js';
import { KeyUses } from '../audit/key-uses.js';
import { ResourceList } from '../catalogue/catalogue-queries.js';
import type { Envelope } from '../command/command-door.js';
import { ApiKeyMessage } from '../command/command-messages.js';
import { newApiKey } from '../command/new-api-key.js';
import { SurroundingsReader } from '../command/surroundings.js';
import { Answer } from './answer.interceptor.js';
import { Asked, Commanding } from './command-request.js';

const OfProject = () =>
  ApiQuery({
    name: 'project',
    required: false,
    type: String,
    description: 'admin keys only: the project; without one, keys of the platform',
  });

@ApiTags('keys')
@Controller('v1/keys')
export class KeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly surroundings: SurroundingsReader,
    private readonly uses: KeyUses,
  ) {}

  @Post()
  @Scope('manager', { project: false })
  @OfProject()
  @Commanding()
  @AnswersMade(newKey, apiKey)
  @ApiOperation({ summary: 'Create a key; the answer is the only place where it is ever shown' })
  async create(@Caller() caller: CallerIdentity, @Body({ schema: keyInput }) input: KeyInput, @Asked() envelope: Envelope) {
    if (input.role === 'admin' && caller.role !== 'admin')
      throw new DomainError('wrong-role', `a key of role ${caller.role} can't make one of role admin: ask an admin`, { role: caller.role });
    const { project } = caller;
    // The role that belongs to no environment may still be asked with one in the query: only the body counts.
    const environment =
      input.environment === undefined ? null : { key: input.environment, kind: await this.kindOf(project, input.environment) };
    const { id, key, hash } = newApiKey();
    const { role, name, expiresAt, quota } = input;
    const life = { expiresAtUs: instantOf(expiresAt), quota: quota === undefined ? null : quotaOf(quota) };
    const command = { type: 'CreateApiKey', id, hash, role, project, environment, name, ...life, atUs: envelope.origin.atUs } as const;
    return Answer.made(await this.commands.execute(new ApiKeyMessage(id, project, command, envelope, key)), envelope.isDryRun);
  }

  @Get()
  @Scope('manager', { project: false })
  @OfProject()
  @Answers(listOf(listedKey))
  @ApiOperation({ summary: 'The keys of the project, or of the platform where an admin names no project; never the keys themselves' })
  async list(@Caller() { project }: CallerIdentity) {
    const keys = await this.queries.execute(new ResourceList('key', project));
    return { items: keys.map((key) => ({ ...key, lastUsedAt: this.uses.lastUsedAt(String(key.id)) })) };
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @Scope('manager', { project: false })
  @OfProject()
  @Commanding()
  @AnswersCommand(apiKey)
  @ApiOperation({ summary: 'Revoke a key, for good' })
  async revoke(
    @Param('id', { schema: slug }) id: string,
    @Caller() { project }: CallerIdentity,
    @Body({ schema: actionInput }) _: ActionInput,
    @Asked() envelope: Envelope,
  ) {
    const command = { type: 'RevokeApiKey', atUs: envelope.origin.atUs } as const;
    return Answer.ok(await this.commands.execute(new ApiKeyMessage(id, project, command, envelope, null)));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @Scope('manager', { project: false })
  @OfProject()
  @Commanding()
  @AnswersCommand(newKey, apiKey)
  @ApiOperation({ summary: 'Give a key a new secret; the old one stops working at once, or after an overlap' })
  async rotate(
    @Param('id', { schema: slug }) id: string,
    @Caller() { project }: CallerIdentity,
    @Body({ schema: rotationInput }) { overlapSeconds, expiresAt }: RotationInput,
    @Asked() envelope: Envelope,
  ) {
    const { key, hash } = newApiKey(id);
    const life = { overlapUs: overlapSeconds * 1_000_000, expiresAtUs: instantOf(expiresAt) };
    const command = { type: 'RotateApiKey', hash, ...life, atUs: envelope.origin.atUs } as const;
    return Answer.ok(await this.commands.execute(new ApiKeyMessage(id, project, command, envelope, key)));
  }

  @Put(':id/quota')
  @Scope('manager', { project: false })
  @OfProject()
  @Commanding()
  @AnswersCommand(apiKey)
  @ApiOperation({ summary: 'Say how many events a key may send' })
  async limit(
    @Param('id', { schema: slug }) id: string,
    @Caller() { project }: CallerIdentity,
    @Body({ schema: quotaInput }) { quota }: QuotaInput,
    @Asked() envelope: Envelope,
  ) {
    const command = { type: 'LimitApiKey', quota: quota === null ? null : quotaOf(quota), atUs: envelope.origin.atUs } as const;
    return Answer.ok(await this.commands.execute(new ApiKeyMessage(id, project, command, envelope, null)));
  }

  private async kindOf(project: string | null, environment: string) {
    if (project !== null) return this.surroundings.kindOf(project, environment);
    throw new DomainError('project-missing', `environment "${environment}" belongs to a project: name it with ?project=<key>`);
  }
}

const SECONDS_AT_ONCE = 10;

const quotaOf = ({ eventsPerSecond, burst = eventsPerSecond * SECONDS_AT_ONCE }: KeyQuotaInput) => ({ eventsPerSecond, burst });

const instantOf = (text: string | undefined): number | null => (text === undefined ? null : (parseInstant(text) ?? null));
