/** Notes every command and every denied request once it is answered: who, what, when, and how it ended. */
import type { FastifyInstance } from 'fastify';
import type { AccessJournal, AccessOutcome } from './access-journal.js';
import { withMaskedKeys } from './masked-keys.js';
import type { CallingRequest } from './scope.js';

export const noteRequests = (fastify: FastifyInstance, service: string, journal: AccessJournal): void => {
  fastify.addHook('onResponse', (request: CallingRequest, reply, done) => {
    const outcome = outcomeOf(reply.statusCode);
    if (outcome === 'denied' || isCommand(request)) {
      const { caller, holder, refusal } = request;
      journal.note({
        atUs: Math.round((Date.now() - reply.elapsedTime) * 1_000),
        service,
        outcome,
        actor: caller?.keyId ?? holder?.id ?? null,
        role: caller?.role ?? holder?.role ?? null,
        project: caller?.project ?? holder?.project ?? null,
        environment: caller?.environment ?? holder?.environment ?? null,
        action: `${request.method} ${request.routeOptions.url ?? '(no route)'}`,
        target: targetOf(request.params),
        status: reply.statusCode,
        code: refusal ?? null,
        requestId: request.id,
        address: addressOf(request),
        count: 1,
      });
    }
    done();
  });
};

/** What is in a history of its own already need not be told twice. */
const isCommand = ({ method, isAudited, isInHistory }: CallingRequest): boolean =>
  method !== 'GET' && method !== 'HEAD' && isAudited === true && isInHistory !== true;

const outcomeOf = (status: number): AccessOutcome => {
  if (status === 401 || status === 403) return 'denied';
  if (status < 400) return 'done';
  return status < 500 ? 'refused' : 'failed';
};

/** Names of parameters that are secrets themselves, or name a person. */
const SECRET = /key$|^unitId$/i;

/** `key` alone is the name of a resource. */
const targetOf = (params: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries((params ?? {}) as Readonly<Record<string, unknown>>)
      .filter(([name]) => name === 'key' || !SECRET.test(name))
      .map(([name, value]) => [name, withMaskedKeys(String(value)).slice(0, 200)]),
  );

/** The last hop's word: those before it are anybody's. */
export const addressOf = ({ headers, ip }: CallingRequest): string | null => {
  const forwarded = headers['x-forwarded-for'];
  const last = (Array.isArray(forwarded) ? forwarded.at(-1) : forwarded)?.split(',').at(-1)?.trim();
  return (last === undefined || last === '' ? ip : last).slice(0, 60);
};
