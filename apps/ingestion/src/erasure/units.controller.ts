/** The door for whoever answers a request to erase a person: what is known of a unit goes, and how far that is. */
import { randomUUID } from 'node:crypto';
import { Controller, Delete, Get, HttpCode, Inject, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AUDIT, type AuditEntry, type ErasureProgress, type ErasureRequest, FEEDBACK, isFitText, LIMITS } from '@rampart/contracts';
import { unitSeal } from '@rampart/contracts/pseudonyms';
import { DomainError } from '@rampart/domain/errors';
import { EventLog, LogUnavailableError } from '@rampart/event-log';
import { erasureRow, messagesOf, Pseudonyms } from '@rampart/feedback-rows';
import { addressOf, Caller, type CallerIdentity, type CallingRequest, Environment, Project, Scope } from '@rampart/service-kit';
import { z } from 'zod';
import { IntakeScopes } from '../doors/intake-scopes.js';
import { LogLink } from '../running/log-link.js';
import { PLATFORM_SECRET } from './erasure-work.js';
import { Erasures } from './erasures.js';

const SOURCE = 'rampart/erasure';
const RETRY_AFTER_MS = 1_000;

const fit = (longest: number) => z.string().min(1).max(longest).refine(isFitText, 'must hold neither U+0000 nor half of a surrogate pair');
const unitType = fit(LIMITS.nameLength);
const unitId = fit(LIMITS.unitIdLength);

@ApiTags('erasure')
@Scope('admin')
@Controller('v1')
export class UnitsController {
  constructor(
    private readonly log: EventLog,
    private readonly link: LogLink,
    private readonly scopes: IntakeScopes,
    private readonly erasures: Erasures,
    private readonly pseudonyms: Pseudonyms,
    @Inject(PLATFORM_SECRET) private readonly platformSecret: string,
  ) {}

  // The audit log leaves a parameter of this name out, also where the request is refused.
  @Delete('units/:unitType/:unitId')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Erase a unit in one environment: what was accepted before the answer vanishes, what comes later counts anew',
    description: 'GET /v1/erasures/{id} says which store is done. Decisions keep their sums, and replay says that units were erased since.',
  })
  @ApiResponse({ status: 202, description: 'The log has the erasure: it happens, whatever dies' })
  @ApiResponse({ status: 503, description: 'The log takes nothing now: send it again after Retry-After' })
  async erase(
    @Param('unitType', { schema: unitType }) type: string,
    @Param('unitId', { schema: unitId }) raw: string,
    @Project() project: string,
    @Environment() environment: string,
    @Caller() { keyId }: CallerIdentity,
    @Req() request: CallingRequest,
  ): Promise<ErasureProgress> {
    this.scopes.named(project, environment, keyId);
    const id = randomUUID();
    const atUs = Date.now() * 1_000;
    const unit = { project, environment, unitType: type, unit: this.pseudonyms.of(project, type, raw), by: keyId };
    const row = erasureRow(unit, { source: SOURCE, id, at: atUs });
    // First the event: whoever is answered knows that its place in the log is taken, and what comes later counts.
    const [placed] = await this.durable(() => this.log.append(FEEDBACK, messagesOf([row], this.link.partitions)));
    if (placed === undefined) throw new LogUnavailableError('the log took nothing', RETRY_AFTER_MS);
    const asked: ErasureRequest = {
      ...{ kind: 'request', id, ...unit, requestedAtUs: atUs },
      ...{ sealed: unitSeal(this.platformSecret).sealed(raw), partition: placed.partition, offset: placed.offset },
    };
    await this.durable(() => this.erasures.tell([asked]));
    await this.durable(() => this.log.append(AUDIT, [{ partition: 0, value: JSON.stringify(auditEntryOf(asked, request)) }]));
    request.isInHistory = true;
    return this.erasures.progressOf(asked);
  }

  @Get('erasures')
  @ApiOperation({ summary: 'The erasures of the project, newest first, at most 200' })
  async all(@Project() project: string): Promise<{ readonly items: readonly ErasureProgress[] }> {
    await this.erasures.readToTheEnd();
    const newest = this.erasures.of(project).slice(0, 200);
    return { items: newest.map((request) => this.erasures.progressOf(request)) };
  }

  @Get('erasures/:id')
  @ApiOperation({ summary: 'Which stores are done with an erasure' })
  async one(@Param('id') id: string, @Project() project: string): Promise<ErasureProgress> {
    await this.erasures.readToTheEnd();
    const known = this.erasures.find(id);
    if (known === undefined || known.request.project !== project)
      throw new DomainError('erasure-not-found', `The project ${project} has no erasure ${id}.`);
    return this.erasures.progressOf(known.request);
  }

  private async durable<T>(append: () => Promise<T>): Promise<T> {
    try {
      return await append();
    } catch (error) {
      if ((error as { retriable?: unknown }).retriable !== undefined) throw error;
      throw new LogUnavailableError('the log takes nothing now', RETRY_AFTER_MS, { cause: error });
    }
  }
}

/** Durable before the answer: who erased somebody is known whatever dies. Without the id, which the erasure's own stands for. */
const auditEntryOf = ({ id, project, environment, unitType, by, requestedAtUs }: ErasureRequest, request: CallingRequest): AuditEntry => ({
  ...{ atUs: requestedAtUs, service: 'ingestion', outcome: 'done', actor: by, role: request.caller?.role ?? null, project, environment },
  ...{ action: `${request.method} ${request.routeOptions.url ?? ''}`, target: { unitType, erasure: id }, status: 202, code: null },
  ...{ requestId: request.id, address: addressOf(request), count: 1 },
});
