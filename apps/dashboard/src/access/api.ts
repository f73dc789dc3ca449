/** Calls the platform as anybody with a key does. What it refuses becomes a Problem: title, detail, code, as it was said. */
import type { Session } from './session.js';

interface ProblemPlace {
  readonly path: string;
  readonly message: string;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    /** Where in the body, as JSON pointers. */
    readonly errors: readonly ProblemPlace[] = [],
  ) {
    super(detail);
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Call {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** The revision that was looked at: refused where there is a newer one. */
  readonly revision?: number | undefined;
}

const PATIENCE_MS = 20_000;

export class Api {
  constructor(readonly session: Session) {}

  get<Answer>(path: string, call: Call = {}): Promise<Answer> {
    return this.call('GET', path, call);
  }

  post<Answer>(path: string, body: unknown, call: Omit<Call, 'body'> = {}): Promise<Answer> {
    return this.call('POST', path, { ...call, body });
  }

  private async call<Answer>(method: string, path: string, { query = {}, body, revision, signal }: Call): Promise<Answer> {
    const { key, project } = this.session;
    const response = await reach(`${path}${queryText({ project, ...query })}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(revision === undefined ? {} : { 'if-match': `"${revision}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? AbortSignal.timeout(PATIENCE_MS) : AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    return (await answerOf(response)) as Answer;
  }
}

/** Without a key: the code of a sign-in link becomes one. */
export const exchangeCode = async (code: string): Promise<string> => {
  const response = await reach('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const { key } = (await answerOf(response)) as { readonly key: string };
  return key;
};

export const queryText = (query: Query): string => {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
};

const reach = async (url: string, init: RequestInit): Promise<Response> => {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted === true && !(init.signal.reason instanceof DOMException && init.signal.reason.name === 'TimeoutError'))
      throw error;
    throw new Problem(0, 'unreachable', 'The platform does not answer', 'It may be starting or stopped. This page tries again by itself.');
  }
};

const answerOf = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  const body = parsed(text);
  if (response.ok) return body;
  const { title, detail, code, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  throw new Problem(
    response.status,
    typeof code === 'string' ? code : `status-${response.status}`,
    typeof title === 'string' ? title : `The platform answered ${response.status}`,
    typeof detail === 'string' ? detail : 'It gave no reason. The logs of its services have more.',
    Array.isArray(errors) ? (errors as readonly ProblemPlace[]) : [],
  );
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
