/** Calls the platform's front door, and goes on calling while services are away for a moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { Refusal } from '../refusal.js';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field where they are used.
  readonly body: any;
}
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export interface CallOptions {
  readonly key?: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Until this time (ms) an unknown key is asked for again: a new key takes a moment to reach every service. */
  readonly keyIsNewUntilMs?: number;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Whenever it is tried again, with why. */
  readonly onRetry?: (why: string) => void;
}

/** Away for a moment: these and broken connections are tried again. */
const RETRIED = new Set([429, 502, 503, 504]);
const LONGEST_PAUSE_MS = 5_000;
/** No call takes so long: what hangs is given up and sent again, which counts once. */
const CALL_MS = 60_000;

export class ApiClient {
  private readonly pool: Pool;

  /** @param patienceMs  how long a call is repeated while nobody answers; @param connections  calls on their way at once: the others wait */
  constructor(
    readonly address: string,
    private readonly adminKey: string,
    private readonly patienceMs = 300_000,
    private readonly onTrouble: (why: string) => void = () => undefined,
    connections = 16,
  ) {
    this.pool = new Pool(new URL(address).origin, { connections, headersTimeout: CALL_MS, bodyTimeout: CALL_MS });
  }

  /** @param body  an object, a text that is JSON already, or what makes it anew for every try; @returns any answer that is not about being away */
  async call(method: Method, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const startedMs = Date.now();
    for (let attempt = 0; ; attempt++) {
      const { answer, trouble, waitMs } = await this.once(method, path, body, options);
      if (answer !== undefined) {
        const isNewKey = answer.status === 401 && Date.now() < (options.keyIsNewUntilMs ?? 0);
        if (!isNewKey) return answer;
      } else if (Date.now() - startedMs > this.patienceMs) {
        const minutes = Math.round((Date.now() - startedMs) / 60_000);
        throw new Refusal(
          `${this.address} has not answered ${method} ${path} for ${minutes} minutes (${trouble}). Is the platform running?`,
        );
      } else if (attempt > 0) this.onTrouble(trouble ?? '');
      options.onRetry?.(trouble ?? 'the key is not known yet');
      await sleep(Math.max(waitMs ?? 0, pauseMs(attempt)), undefined, { signal: options.signal });
    }
  }

  /** @throws Refusal with the platform's own sentence where the status is none of `expected` */
  async expect(method: Method, path: string, expected: readonly number[], body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.call(method, path, body, options);
    if (!expected.includes(answer.status)) throw refusedBy(this.address, `${method} ${path}`, answer);
    return answer;
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async once(method: Method, path: string, body: unknown, options: CallOptions) {
    const made = typeof body === 'function' ? body() : body;
    const text = made === undefined || typeof made === 'string' ? made : JSON.stringify(made);
    const query = new URLSearchParams(
      Object.entries(options.query ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]])),
    );
    try {
      const response = await this.pool.request({
        method,
        path: query.size === 0 ? path : `${path}?${query}`,
        headers: {
          authorization: `Bearer ${options.key ?? this.adminKey}`,
          ...(text === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
        },
        body: text,
        signal: options.signal,
      });
      const answer = { status: response.statusCode, body: parsed(await response.body.text()) };
      if (!RETRIED.has(answer.status)) return { answer };
      const retryAfter = Number(response.headers['retry-after']);
      return {
        trouble: `status ${answer.status}: ${detailOf(answer)}`,
        waitMs: Number.isFinite(retryAfter) ? Math.min(retryAfter * 1000, 30_000) : 0,
      };
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      return { trouble: error instanceof Error ? error.message || error.name : String(error) };
    }
  }
}

/** Doubles from 100 ms to 5 s; a third of it is chance, so that requests in flight do not come back together. */
const pauseMs = (attempt: number): number => Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt) * (0.67 + 0.33 * Math.random());

const parsed = (text: string): unknown => {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text.slice(0, 300) };
  }
};

const detailOf = ({ body }: Answer): string => body?.detail ?? body?.title ?? 'no reason given';

export const refusedBy = (address: string, what: string, answer: Answer): Refusal => {
  const errors = (answer.body?.errors ?? []) as readonly { path?: string; message?: string }[];
  const more = errors.map(({ path, message }) => `\n  ${path ?? ''} ${message ?? ''}`).join('');
  const hint = answer.status === 401 ? ' Is this the admin key of that platform? (rampart keys admin)' : '';
  const detail = detailOf(answer).replace(/\.$/, '');
  return new Refusal(`${what} at ${address} was refused (${answer.status} ${answer.body?.code ?? ''}): ${detail}.${hint}${more}`);
};
