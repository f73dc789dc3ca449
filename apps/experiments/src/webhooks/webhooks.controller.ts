import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { formatInstant, type ReasonedInput, reasonedInput, slug, type WebhookInput, webhookInput } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { Answers, AnswersCommand, AnswersMade, listOf } from '../answers/answering.js';
import { historyEntry } from '../answers/definition-answers.js';
import { delivery, newWebhook, testMessage, webhook } from '../answers/webhook-answers.js';
import { ResourceDocument, ResourceHistory, ResourceList } from '../catalogue/catalogue-queries.js';
import { AnswerSeal } from '../command/answer-seal.js';
import type { Envelope } from '../command/command-door.js';
import { WebhookMessage } from '../command/command-messages.js';
import { Answer } from '../http/answer.interceptor.js';
import { Asked, Commanding } from '../http/command-request.js';
import { webhookStream } from '../streams.js';
import { WebhookDeliveries } from './webhook-deliveries.store.js';
import { messageId, SECRET_PREFIX } from './webhook-message.js';
import { ALLOW_INNER, requireReachable } from './webhook-target.js';

const deliveriesQuery = z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) });
const newSecret = (): string => `${SECRET_PREFIX}${randomBytes(32).toString('base64')}`;

@ApiTags('webhooks')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly seal: AnswerSeal,
    private readonly deliveries: WebhookDeliveries,
    @Inject(ALLOW_INNER) private readonly allowInner: boolean,
  ) {}

  @Post()
  @Scope('manager')
  @Commanding()
  @AnswersMade(newWebhook, webhook)
  @ApiOperation({ summary: 'Make a webhook; the answer is the only place where its signing secret is shown' })
  async create(@Project() project: string, @Body({ schema: webhookInput }) definition: WebhookInput, @Asked() envelope: Envelope) {
    await requireReachable(definition.url, this.allowInner);
    const secret = newSecret();
    const command = { type: 'DefineWebhook', definition, sealedSecret: this.seal.sealed(secret), atUs: envelope.origin.atUs } as const;
    return Answer.made(
      await this.commands.execute(new WebhookMessage(project, definition.key, command, envelope, secret)),
      envelope.isDryRun,
    );
  }

  @Get()
  @Scope('manager')
  @Answers(listOf(webhook))
  @ApiOperation({ summary: 'The webhooks of the project' })
  async list(@Project() project: string) {
    return { items: await this.queries.execute(new ResourceList('webhook', project)) };
  }

  @Get(':key')
  @Scope('manager')
  @Answers(webhook)
  @ApiOperation({ summary: 'One webhook' })
  async read(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    return Answer.ok(await this.document(project, key));
  }

  @Get(':key/history')
  @Scope('manager')
  @Answers(listOf(historyEntry))
  @ApiOperation({ summary: 'Everything that happened to it: when, by whom and why' })
  async history(@Project() project: string, @Param('key', { schema: slug }) key: string) {
    const items = await this.queries.execute(new ResourceHistory('webhook', webhookStream(project, key)));
    return { items: items.map(withoutSecret) };
  }

  @Get(':key/deliveries')
  @Scope('manager')
  @Answers(listOf(delivery))
  @ApiOperation({ summary: 'What was sent, what became of it, and when it is tried again; newest first' })
  async sent(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Query({ schema: deliveriesQuery }) { limit }: z.infer<typeof deliveriesQuery>,
  ) {
    await this.document(project, key);
    return { items: await this.deliveries.list(webhookStream(project, key), limit) };
  }

  @Post(':key/rotate')
  @HttpCode(200)
  @Scope('manager')
  @Commanding()
  @AnswersCommand(newWebhook, webhook)
  @ApiOperation({ summary: 'Sign with a new secret; the answer shows it once. For a day messages are signed with the one before as well' })
  async rotate(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: reasonedInput }) _: ReasonedInput,
    @Asked() envelope: Envelope,
  ) {
    const secret = newSecret();
    const command = { type: 'RotateWebhook', sealedSecret: this.seal.sealed(secret), atUs: envelope.origin.atUs } as const;
    return Answer.ok(await this.commands.execute(new WebhookMessage(project, key, command, envelope, secret)));
  }

  @Post(':key/remove')
  @HttpCode(200)
  @Scope('manager')
  @Commanding()
  @AnswersCommand(webhook)
  @ApiOperation({ summary: 'Remove it: nothing more is sent, what waits included' })
  async remove(
    @Project() project: string,
    @Param('key', { schema: slug }) key: string,
    @Body({ schema: reasonedInput }) _: ReasonedInput,
    @Asked() envelope: Envelope,
  ) {
    const command = { type: 'RemoveWebhook', atUs: envelope.origin.atUs } as const;
    return Answer.ok(await this.commands.execute(new WebhookMessage(project, key, command, envelope, null)));
  }

  @Post(':key/test')
  @HttpCode(202)
  @Scope('manager')
  @Answers(testMessage, { 202: 'It waits like any other message' })
  @ApiOperation({ summary: 'Send a message that says nothing but that it is a test; see its deliveries' })
  async test(@Project() project: string, @Param('key', { schema: slug }) key: string, @Asked() envelope: Envelope) {
    const { body, revision } = await this.document(project, key);
    if (body.isActive !== true) throw new DomainError('webhook-not-found', `webhook "${key}" is removed: make it anew`, { webhook: key });
    const { atUs, actor, reason } = envelope.origin;
    const id = messageId(`test/${webhookStream(project, key)}@${atUs}`);
    const about = { project, environment: null, resource: 'webhook', key, revision, before: {}, after: {} } as const;
    const data = { ...about, actor, reason, sentence: 'a test', record: null };
    const envelopeOf = { specversion: '1.0', source: `rampart/${project}`, datacontenttype: 'application/json' } as const;
    const message = { ...envelopeOf, id, type: 'webhook.test', time: formatInstant(atUs), subject: `webhook/${key}`, data } as const;
    await this.deliveries.add(webhookStream(project, key), message, atUs);
    return { id };
  }

  private document(project: string, key: string) {
    return this.queries.execute(new ResourceDocument('webhook', { stream: webhookStream(project, key), asOfUs: null, version: null }));
  }
}

/** Sealed or not, it is of no use to readers. */
const withoutSecret = (entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const { sealedSecret: _, ...details } = (entry.details ?? {}) as Readonly<Record<string, unknown>>;
  return { ...entry, details };
};
