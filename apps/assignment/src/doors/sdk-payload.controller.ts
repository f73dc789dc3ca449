/** The rules themselves, in the public payload of GrowthBook's SDKs: they evaluate where they run. Overrides stay here, since they name units. */
import { Controller, Get, Header, HttpStatus, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { payloadOfDefinitions } from '@rampart/assignment';
import { formatInstant } from '@rampart/contracts';
import { Caller, type CallerIdentity, Scope } from '@rampart/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServedRuleset } from '../evaluation/served-ruleset.js';
import { EvaluationScopes } from './evaluation-scopes.js';

const PATH = /^\/api\/features\/([^/?]+)/;
/** SDKs ask again after half a minute, and live on what they have while we are away. */
const CACHING = 'public, max-age=30, stale-while-revalidate=3600, stale-if-error=36000';

@Controller('api/features')
export class SdkPayloadController {
  /** Made once per ruleset. */
  private readonly texts = new WeakMap<ServedRuleset, string>();

  constructor(
    private readonly scopes: EvaluationScopes,
    private readonly host: HttpAdapterHost,
  ) {}

  /** SDKs send their key in the path; from here on it is a key like any other. */
  onModuleInit(): void {
    const fastify: FastifyInstance = this.host.httpAdapter.getInstance();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const [, inPath] = PATH.exec(request.url) ?? [];
      if (inPath !== undefined) {
        delete request.headers.authorization;
        request.headers['x-api-key'] = inPath;
      }
      done();
    });
  }

  @Get(':clientKey')
  @Scope('client', { project: false })
  @Header('cache-control', CACHING)
  @ApiParam({ name: 'clientKey', description: 'a key of role client, which is public' })
  @ApiOperation({ summary: 'The rules of an environment as GrowthBook’s SDKs read them, without overrides' })
  @ApiResponse({ status: 200, description: '{status, features, savedGroups, dateUpdated}' })
  @ApiResponse({ status: 304, description: 'Nothing has changed' })
  payload(@Req() request: FastifyRequest, @Caller() caller: CallerIdentity, @Res() reply: FastifyReply): void {
    const served = this.scopes.rulesetOf(caller);
    const etag = `"${served.version}"`;
    void reply.header('etag', etag);
    if (request.headers['if-none-match']?.replace(/^W\//, '') === etag) return void reply.status(HttpStatus.NOT_MODIFIED).send();
    void reply.type('application/json; charset=utf-8').send(this.textOf(served));
  }

  private textOf(served: ServedRuleset): string {
    const known = this.texts.get(served);
    if (known !== undefined) return known;
    const payload = payloadOfDefinitions({ ...served.definitions, overrides: [] });
    // SDKs ignore a payload with the date of the one they have.
    const text = JSON.stringify({ status: 200, ...payload, dateUpdated: formatInstant(served.changedAtUs) });
    this.texts.set(served, text);
    return text;
  }
}
