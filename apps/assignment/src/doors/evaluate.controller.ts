/** What people and dashboards ask about assignment: why a unit gets what it gets, what is served, and how fresh it is. Nothing here is counted. */
import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { unitOf } from '@rampart/assignment';
import { DomainError } from '@rampart/domain/errors';
import { Caller, type CallerIdentity, type CallingRequest, InvalidRequest, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { explainFlag, type FlagExplanation } from '../evaluation/explanation.js';
import { attributesIn, isRefused } from '../evaluation/ofrep-request.js';
import { SpooledExposures } from '../exposures/spooled.exposures.js';
import { DefinitionsFeed } from '../ruleset/definitions.feed.js';
import { LogLink } from '../running/log-link.js';
import { EvaluationQuotas } from './evaluation-quotas.js';
import { EvaluationScopes } from './evaluation-scopes.js';
import { evaluationBody } from './ofrep-schema.js';

const explainInput = z.strictObject({
  feature: z.string().min(1).max(200),
  context: z.record(z.string(), z.unknown()).describe('as an evaluation gets it: targetingKey and attributes'),
});
const ASKERS = ['analyst', 'client', 'emit'] as const;
const inEnvironment = { name: 'environment', required: false, description: 'default: the key’s own, or production' } as const;

@Controller('v1/evaluate')
export class EvaluateController {
  constructor(
    private readonly scopes: EvaluationScopes,
    private readonly feed: DefinitionsFeed,
    private readonly exposures: SpooledExposures,
    private readonly link: LogLink,
    private readonly quotas: EvaluationQuotas,
  ) {}

  @Post('explain')
  @HttpCode(200)
  @Scope(ASKERS, { audited: false })
  @ApiQuery(inEnvironment)
  @ApiBody({
    schema: {
      ...evaluationBody,
      required: ['feature', 'context'],
      properties: { feature: { type: 'string', example: 'checkout' }, ...evaluationBody.properties },
    },
  })
  @ApiOperation({ summary: 'Why a unit gets what it gets: every rule, bucket and range, in sentences. Counts nothing' })
  @ApiResponse({ status: 200, description: 'The answer, the rule that decided, and every rule before it with what it asked' })
  @ApiResponse({ status: 429, description: 'The quota of the key is used up: ask again after Retry-After' })
  explain(
    @Body({ schema: explainInput }) { context, feature }: z.infer<typeof explainInput>,
    @Req() request: CallingRequest,
    @Caller() caller: CallerIdentity,
  ): FlagExplanation {
    this.quotas.spend(request.holder);
    const served = this.scopes.rulesetOf(caller);
    const attributes = attributesIn({ context });
    if (isRefused(attributes)) throw contextRefusal(attributes.errorDetails);
    const explained = explainFlag(feature, served, unitOf({ attributes }), this.scopes.staleSeconds());
    if (explained !== undefined) return explained;
    throw new DomainError('feature-not-found', `The project ${served.project} has no feature ${feature}.`, { path: '/feature' });
  }

  @Get('ruleset')
  @Scope(ASKERS, { audited: false })
  @ApiQuery(inEnvironment)
  @ApiOperation({ summary: 'What is served in an environment: version, age, features, and what could not be meant' })
  ruleset(@Caller() caller: CallerIdentity) {
    const { definitions, environment, project, ruleset, version } = this.scopes.rulesetOf(caller);
    const staleSeconds = this.scopes.staleSeconds();
    return {
      ...{ project, environment, version },
      ageSeconds: this.scopes.ageSeconds(),
      isStale: staleSeconds !== null,
      features: definitions.features.map(({ isEnabled, key, release }) => ({
        key,
        isKilled: isEnabled === false,
        experiments: (definitions.experiments ?? [])
          .filter(({ feature }) => feature === key)
          .map((one) => ({ key: one.key, segment: one.segment, coverage: one.coverage })),
        release: release ?? null,
      })),
      problems: ruleset.problems,
    };
  }

  @Get('freshness')
  @Scope(ASKERS, { project: false })
  @ApiOperation({ summary: 'How old the definitions are, and what waits on this process’s disk for the log' })
  freshness() {
    const staleSeconds = this.scopes.staleSeconds();
    return {
      definitions: {
        ageSeconds: this.scopes.ageSeconds(),
        isStale: staleSeconds !== null,
        trouble: this.feed.trouble() ?? null,
        unreadable: this.feed.unreadable,
      },
      spool: {
        rows: this.exposures.depth,
        oldestSeconds: this.exposures.ageSeconds(),
        dropped: this.exposures.dropped,
        forwarded: this.link.forwarder.forwarded,
        trouble: this.link.whyLogAway() ?? this.exposures.trouble() ?? null,
      },
    };
  }
}

/** `/context/x: sentence` as a problem with its path. */
const contextRefusal = (details: string): InvalidRequest => {
  const [, path = '/context', message = details] = /^(\/\S*): (.+)$/s.exec(details) ?? [];
  return new InvalidRequest([{ code: 'invalid-context', path, message }]);
};
