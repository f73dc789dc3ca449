/** Lets a request through when its key is known, its role admitted and its project its own. Closed by default. */
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { DomainError } from '@rampart/domain/errors';
import type { FastifyRequest } from 'fastify';
import { AccessJournal } from './access-journal.js';
import { AdminKey } from './admin-key.js';
import { ApiKeys, hashOfKey, type KeyRecord } from './api-keys.js';
import { endOf, refusalOf } from './key-standing.js';
import { assertRole, type CallerIdentity, type CallingRequest, type RouteScope, SCOPE } from './scope.js';

const LONGEST_KEY = 512;
/** Of the platform’s own key, which is in no list. */
const ADMIN = 'admin';

@Injectable()
export class AccessGuard implements CanActivate {
  private keys: ApiKeys | undefined;

  constructor(
    private readonly reflector: Reflector,
    private readonly admin: AdminKey,
    private readonly journal: AccessJournal,
    private readonly modules: ModuleRef,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const scope = this.reflector.getAllAndOverride<RouteScope | undefined>(SCOPE, [context.getHandler(), context.getClass()]);
    if (scope === undefined) throw new DomainError('scope-undeclared', 'This route declares no scope, so nobody may call it.');
    if (scope.roles === 'open') return true;
    const request = context.switchToHttp().getRequest<CallingRequest>();
    request.isAudited = scope.isAudited;
    const { key, endsAtUs } = await this.keyOf(request);
    request.holder = key;
    assertRole(key.role, scope.roles);
    request.caller = { ...(await this.callerOf(key, request, scope)), endsAtUs };
    if (key.id !== ADMIN) this.journal.used(key.id, Date.now() * 1_000);
    return true;
  }

  private async keyOf(request: CallingRequest): Promise<{ readonly key: KeyRecord; readonly endsAtUs: number | null }> {
    const presented = presentedKey(request);
    if (presented === undefined) throw new DomainError('key-missing', 'Send an API key: Authorization: Bearer <key>, or X-API-Key: <key>.');
    const hash = hashOfKey(presented);
    if (this.admin.matches(hash))
      return { key: { id: ADMIN, hash, role: 'admin', project: null, environment: null, revoked: false }, endsAtUs: null };
    const record = await this.source().byHash(hash);
    const refusal = refusalOf(record, hash, Date.now() * 1_000);
    if (record !== undefined) request.holder = record;
    if (record === undefined || refusal !== undefined) throw new DomainError(refusal?.code ?? 'key-unknown', refusal?.message ?? '');
    return { key: record, endsAtUs: endOf(record, hash) };
  }

  private async callerOf(key: KeyRecord, request: FastifyRequest, scope: RouteScope): Promise<Omit<CallerIdentity, 'endsAtUs'>> {
    const project = await this.projectOf(key, request, scope);
    const environment = queryOf(request, 'environment');
    if (key.environment !== null && environment !== undefined && environment !== key.environment)
      throw new DomainError('foreign-environment', `The key ${key.id} belongs to environment ${key.environment}, not to ${environment}.`);
    return { keyId: key.id, role: key.role, project, environment: key.environment ?? environment ?? null };
  }

  private async projectOf(key: KeyRecord, request: FastifyRequest, scope: RouteScope): Promise<string | null> {
    const header = request.headers['x-project'];
    const named = queryOf(request, 'project') ?? (typeof header === 'string' && header !== '' ? header : undefined);
    if (key.project !== null) {
      if (named === undefined || named === key.project) return key.project;
      throw new DomainError('foreign-project', `The key ${key.id} belongs to project ${key.project}, not to ${named}.`);
    }
    if (!scope.needsProject) return named ?? null;
    if (named === undefined) throw new DomainError('project-missing', 'This key is for every project: name one with ?project=<key>.');
    if (await this.source().hasProject(named, request.method === 'GET')) return named;
    throw new DomainError('project-not-found', `There is no project ${named}.`, { project: named });
  }

  /** Looked up late: each service provides its own keys, in a module of its own. */
  private source(): ApiKeys {
    const keys = this.keys ?? this.modules.get<ApiKeys>(ApiKeys, { strict: false });
    this.keys = keys;
    return keys;
  }
}

const presentedKey = (request: FastifyRequest): string | undefined => {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  const key = bearer ?? (typeof apiKey === 'string' ? apiKey.trim() : undefined);
  return key === undefined || key === '' || key.length > LONGEST_KEY ? undefined : key;
};

const queryOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = (request.query as Readonly<Record<string, unknown>> | undefined)?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};
