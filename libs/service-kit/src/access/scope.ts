/** What a route demands of its caller, and who the caller is. A route that declares nothing is refused to everybody. */
import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiQuery } from '@nestjs/swagger';
import { DomainError } from '@rampart/domain/errors';
import type { FastifyRequest } from 'fastify';
import type { KeyRecord, Role } from './api-keys.js';

export const SCOPE = 'rampart:scope';
/** In the OpenAPI document, beside each operation: every role that may call it. */
export const SCOPE_EXTENSION = 'x-rampart-scope';

export interface RouteScope {
  /** Roles admitted, before inheritance: admin passes where manager does, manager where analyst does. */
  readonly roles: readonly Role[] | 'open';
  /** False where a route belongs to no project: then none is asked for and `Caller.project` is that of the key. */
  readonly needsProject: boolean;
  /** Whether what is not read is a command, to be kept in the audit log. */
  readonly isAudited: boolean;
}

/** Who asks, as the guard found out. */
export interface CallerIdentity {
  readonly keyId: string;
  readonly role: Role;
  /** The project that the request is about; null only on routes with `project: false`. */
  readonly project: string | null;
  /** The key's environment, or the one named by `?environment=`; null when neither. */
  readonly environment: string | null;
  /** When the key stops to work by itself, in microseconds since the epoch: for answers that go on. */
  readonly endsAtUs: number | null;
}

export type CallingRequest = FastifyRequest & {
  caller?: CallerIdentity;
  /** Whose key it is, also where it was not let through. */
  holder?: KeyRecord;
  isAudited?: boolean;
  /** Set by a service that has stored the command with its actor: the audit log has it from there. */
  isInHistory?: boolean;
  /** Code of the problem that was answered. */
  refusal?: string;
};

export interface ScopeOptions {
  /** False: the route belongs to no project. */
  readonly project?: boolean;
  /** False: a POST that only asks or sends events: no command. */
  readonly audited?: boolean;
}

/** Declares who may call: `@Scope('analyst')`, `@Scope(['emit', 'import'], { audited: false })`, `@Scope('admin', { project: false })`. */
export const Scope = (roles: Role | readonly Role[], { project = true, audited = true }: ScopeOptions = {}) => {
  const scope: RouteScope = { roles: typeof roles === 'string' ? [roles] : roles, needsProject: project, isAudited: audited };
  const named = ApiQuery({ name: 'project', required: false, type: String, description: 'admin keys only: the project this is about' });
  const told = ApiExtension(SCOPE_EXTENSION, { roles: holdersOf(scope.roles as readonly Role[]), needsProject: project });
  return applyDecorators(SetMetadata(SCOPE, scope), ApiBearerAuth(), told, ...(project ? [named] : []));
};

/** For probes of the kit only: no key at all. */
export const Open = () => SetMetadata(SCOPE, { roles: 'open', needsProject: false, isAudited: false } satisfies RouteScope);

const callerOf = (context: ExecutionContext): CallerIdentity => {
  const { caller } = context.switchToHttp().getRequest<CallingRequest>();
  if (caller === undefined) throw new RangeError('a route that wants its caller must declare a @Scope');
  return caller;
};

/** The caller: `@Caller() caller: CallerIdentity`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) => callerOf(context));

/** The project of the request, never null: `@Project() project: string`. */
export const Project = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { project } = callerOf(context);
  if (project === null) throw new RangeError('@Project() on a route that declares project: false');
  return project;
});

/** The environment of the request, `production` unless key or query name another: `@Environment() environment: string`. */
export const Environment = createParamDecorator((fallback: string | undefined, context: ExecutionContext) => {
  const { environment } = callerOf(context);
  return environment ?? fallback ?? 'production';
});

const HOLDERS: Readonly<Record<Role, readonly Role[]>> = {
  admin: ['admin'],
  manager: ['manager', 'admin'],
  analyst: ['analyst', 'manager', 'admin'],
  emit: ['emit'],
  import: ['import'],
  client: ['client'],
};

/** All roles that pass where these are named, in a fixed order. */
const holdersOf = (admitted: readonly Role[]): readonly Role[] => {
  const passing = new Set(admitted.flatMap((one) => HOLDERS[one]));
  return (Object.keys(HOLDERS) as Role[]).filter((role) => passing.has(role));
};

/** @throws DomainError wrong-role */
export const assertRole = (role: Role, admitted: readonly Role[]): void => {
  if (holdersOf(admitted).includes(role)) return;
  throw new DomainError('wrong-role', `A key of role ${role} may not do this; it takes one of role ${admitted.join(' or ')}.`, {
    role,
    needed: admitted,
  });
};
