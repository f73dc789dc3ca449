/** Where a caller's events belong, and whether its key may send them there. */
import { Injectable } from '@nestjs/common';
import { DomainError } from '@rampart/domain/errors';
import type { CallerIdentity } from '@rampart/service-kit';
import type { IntakeScope } from '../intake/event-rows.js';
import { LogLink } from '../running/log-link.js';

@Injectable()
export class IntakeScopes {
  constructor(private readonly link: LogLink) {}

  /** @throws DomainError environment-not-found; environment-kind when the key's role and the environment don't fit */
  of({ project, environment, role, keyId }: Omit<CallerIdentity, 'endsAtUs'>): IntakeScope {
    const scope = this.named(project ?? '', environment ?? 'production', keyId);
    const fitting = scope.kind === 'historical' ? 'import' : 'emit';
    if ((role === 'emit' || role === 'import') && role !== fitting)
      throw new DomainError(
        'environment-kind',
        `${scope.environment} is a ${scope.kind} environment: it takes events from keys of role ${fitting}, and this one is of role ${role}.`,
        { environment: scope.environment, kind: scope.kind, role },
      );
    return scope;
  }

  /** @throws DomainError environment-not-found */
  named(project: string, environment: string, keyId: string): IntakeScope {
    const found = this.link.definitions.environment(project, environment);
    if (found === undefined) throw new DomainError('environment-not-found', `The project ${project} has no environment ${environment}.`);
    return { project, environment, kind: found.kind, keyId };
  }
}
