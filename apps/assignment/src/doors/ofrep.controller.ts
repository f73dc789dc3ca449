/** OFREP 0.3: one flag for servers, all flags for clients. */
import { createHash } from 'node:crypto';
import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Caller, type CallerIdentity, type CallingRequest, RawBody, Scope } from '@rampart/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Evaluation, evaluateFlag, evaluateFlags } from '../evaluation/evaluator.js';
import { Exposures } from '../evaluation/exposures.js';
import { type Attributes, attributesOf, isRefused, type Refused } from '../evaluation/ofrep-request.js';
import type { ServedRuleset } from '../evaluation/served-ruleset.js';
import { EvaluationQuotas } from './evaluation-quotas.js';
import { EvaluationScopes } from './evaluation-scopes.js';
import { bulkResponse, COUNTING_HEADER, evaluationBody, failureResponse, flagResponse, isCounted } from './ofrep-schema.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const EVALUATORS = ['client', 'emit', 'manager'] as const;
const counting = {
  name: COUNTING_HEADER,
  required: false,
  enum: ['none'],
  description: 'none = nothing is counted; also as a query',
} as const;
const usedUp = {
  status: 429,
  description: 'The quota of the key is used up: nothing was evaluated or counted, ask again after Retry-After, in seconds.',
  headers: { 'retry-after': { description: 'seconds', schema: { type: 'integer' as const } } },
};

@Controller('ofrep/v1/evaluate/flags')
export class OfrepController {
  constructor(
    private readonly scopes: EvaluationScopes,
    private readonly exposures: Exposures,
    private readonly quotas: EvaluationQuotas,
  ) {}

  @Post(':key')
  @HttpCode(200)
  @Scope(EVALUATORS, { audited: false })
  @RawBody()
  @ApiHeader(counting)
  @ApiBody({ schema: evaluationBody })
  @ApiOperation({ summary: 'One flag for one unit; counts as an exposure unless told not to' })
  @ApiResponse({ status: 200, description: 'The flag; without a value the caller uses the default of its code', schema: flagResponse })
  @ApiResponse({ status: 400, description: 'The context can’t be read, or the value can’t be carried', schema: failureResponse })
  @ApiResponse({ status: 404, description: 'FLAG_NOT_FOUND', schema: failureResponse })
  @ApiResponse(usedUp)
  async flag(
    @Param('key') key: string,
    @Body() body: Buffer | undefined,
    @Req() request: CallingRequest,
    @Caller() caller: CallerIdentity,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.quotas.spend(request.holder);
    const served = this.scopes.rulesetOf(caller);
    const attributes = attributesOf(body);
    if (isRefused(attributes)) return refuse(reply, 400, { key, ...attributes });
    const answered = evaluateFlag(key, this.evaluation(served, attributes, request, caller));
    if (answered === undefined)
      return refuse(reply, 404, {
        key,
        errorCode: 'FLAG_NOT_FOUND',
        errorDetails: `The environment ${served.environment} has no flag ${key}.`,
      });
    this.quotas.owe(request.holder, answered.told);
    if (answered.kept !== undefined) await answered.kept;
    void this.told(reply, served)
      .status(answered.isFailure ? 400 : 200)
      .send(answered.text);
  }

  @Post()
  @HttpCode(200)
  @Scope(EVALUATORS, { audited: false })
  @RawBody()
  @ApiHeader(counting)
  @ApiHeader({
    name: 'if-none-match',
    required: false,
    description: 'ETag of an earlier answer: 304 when nothing has changed for this context',
  })
  @ApiBody({ schema: evaluationBody })
  @ApiOperation({ summary: 'All flags for one unit; counts as assignments: the unit was told, nothing was used yet' })
  @ApiResponse({ status: 200, description: 'All flags of the environment', schema: bulkResponse })
  @ApiResponse({ status: 304, description: 'Nothing has changed for this context' })
  @ApiResponse({ status: 400, description: 'The context can’t be read', schema: failureResponse })
  @ApiResponse(usedUp)
  async flags(
    @Body() body: Buffer | undefined,
    @Req() request: CallingRequest,
    @Caller() caller: CallerIdentity,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.quotas.spend(request.holder);
    const served = this.scopes.rulesetOf(caller);
    const etag = etagOf(served, body, isCounted(request));
    // Whoever has the tag was answered with it, and its assignments are durable since then.
    if (isKnown(request.headers['if-none-match'], etag)) return void this.told(reply, served).header('etag', etag).status(304).send();
    const attributes = attributesOf(body);
    if (isRefused(attributes)) return refuse(reply, 400, attributes);
    const answered = evaluateFlags(this.evaluation(served, attributes, request, caller));
    this.quotas.owe(request.holder, answered.told);
    const isKept = answered.kept === undefined || (await answered.kept);
    // Without a tag it is asked again, and counted once there is room.
    if (isKept) void reply.header('etag', etag);
    void this.told(reply, served).send(answered.text);
  }

  private evaluation(served: ServedRuleset, attributes: Attributes, request: FastifyRequest, { keyId }: CallerIdentity): Evaluation {
    const { environment, project } = served;
    return {
      ...{ served, attributes, staleSeconds: this.scopes.staleSeconds() },
      counting: isCounted(request) ? { exposures: this.exposures, scope: { project, environment, keyId } } : undefined,
    };
  }

  private told(reply: FastifyReply, { version }: ServedRuleset): FastifyReply {
    const ageSeconds = this.scopes.ageSeconds();
    return reply
      .type(JSON_TYPE)
      .header('x-rampart-ruleset', version)
      .header('x-rampart-ruleset-age', ageSeconds === null ? 'unknown' : String(ageSeconds));
  }
}

const refuse = (reply: FastifyReply, status: number, refusal: Refused & { readonly key?: string }): void => {
  void reply.status(status).type(JSON_TYPE).send(JSON.stringify(refusal));
};

/** Of the rules and of the context: either may change what is answered. */
const etagOf = ({ version }: ServedRuleset, body: Buffer | undefined, counted: boolean): string =>
  `"${version}-${createHash('sha256')
    .update(body ?? '')
    .digest('base64url')
    .slice(0, 22)}${counted ? '' : '-uncounted'}"`;

/** Quoted, weak or bare: clients send back what their library makes of it. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((one) => `"${one.trim().replace(/^W\//, '').replaceAll('"', '')}"` === etag) ?? false;
