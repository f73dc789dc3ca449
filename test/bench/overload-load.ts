/** Bodies of events that are numbered, sent faster than they are taken, and looked for in the store by their numbers. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './services.js';

export const PER_BODY = 100;
const PAUSE_MS = 50;

/** Each body has its number in every event, by which it is found in the store. */
const bodyOf = (number: number): Buffer =>
  Buffer.from(
    JSON.stringify(
      Array.from({ length: PER_BODY }, (_, index) => ({
        specversion: '1.0',
        id: `overload-${number}-${index}`,
        source: 'bench/overload',
        type: 'metric.v1',
        time: new Date(1_700_000_000_000 + number).toISOString(),
        data: {
          unit: { type: 'user', id: `user-${(number * PER_BODY + index) % 50_000}` },
          name: 'overload',
          value: number,
          properties: { country: 'NZ', plan: 'pro', items: index % 7, returning: index % 2 === 0 },
        },
      })),
    ),
  );

export interface Answers {
  /** How often each status was answered; 0: no answer. */
  readonly statuses: Map<number, number>;
  /** Numbers of the bodies of which the door said that the log has them. */
  readonly accepted: Set<number>;
  withoutRetryAfter: number;
  /** Bodies, each as often as it was sent. */
  offered: number;
}

interface Target {
  readonly url: string;
  readonly key: string;
}

const post = (agent: Agent, { url, key }: Target, body: Buffer): Promise<{ readonly status: number; readonly retryAfter: boolean }> =>
  new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json', 'content-length': body.length };
    const none = { status: 0, retryAfter: false };
    const sent = request(`${url}/v1/events`, { agent, method: 'POST', headers, timeout: 60_000 }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] !== undefined }));
      answer.on('error', () => resolve(none));
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(none));
    sent.end(body);
  });

export interface Pace {
  readonly connections: number;
  readonly durationMs: number;
  /** Bodies that are due each second; none: as fast as answers come. */
  readonly perSecond?: number;
  /** What was refused is sent again until it is accepted, as a sender does that must lose nothing. */
  readonly repeats?: boolean;
}

export class NumberedLoad {
  private next = 0;

  private constructor(private readonly target: Target) {}

  /** Resolves when the door knows the key. */
  static async at(url: string, key: string): Promise<NumberedLoad> {
    const target = { url, key };
    const agent = new Agent();
    const probe = async () => (await post(agent, target, Buffer.from('[]'))).status;
    await until('the key is known', async () => ![0, 401, 503].includes(await probe()), 20_000);
    return new NumberedLoad(target);
  }

  /** Bodies that were made so far: their numbers lie below. */
  get made(): number {
    return this.next;
  }

  async send({ connections, durationMs, perSecond, repeats = false }: Pace): Promise<Answers> {
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    const answers: Answers = { statuses: new Map(), accepted: new Set(), withoutRetryAfter: 0, offered: 0 };
    const begun = performance.now();
    let place = 0;
    const worker = async () => {
      while (performance.now() - begun < durationMs) {
        if (perSecond !== undefined) {
          const due = begun + (place++ * 1_000) / perSecond;
          if (due > begun + durationMs) return;
          if (due > performance.now()) await sleep(due - performance.now());
        }
        const number = this.next++;
        while (!(await this.offer(agent, number, answers)) && repeats) await sleep(PAUSE_MS);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    agent.destroy();
    return answers;
  }

  private async offer(agent: Agent, number: number, answers: Answers): Promise<boolean> {
    answers.offered += 1;
    const { status, retryAfter } = await post(agent, this.target, bodyOf(number));
    answers.statuses.set(status, (answers.statuses.get(status) ?? 0) + 1);
    if (status === 503 && !retryAfter) answers.withoutRetryAfter += 1;
    if (status === 202) answers.accepted.add(number);
    return status === 202;
  }
}

/** Of each body how many of its events are stored, each counted once. */
const STORED = 'SELECT intDiv(value, 1000000), uniqExact(id_hash) FROM rampart.feedback FINAL GROUP BY 1 FORMAT TSV';

export const storedBodies = async (ask: (sql: string) => Promise<string>): Promise<ReadonlyMap<number, number>> => {
  const lines = (await ask(STORED)).split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => line.split('\t').map(Number) as [number, number]));
};

export interface Kept {
  /** All in events. */
  readonly accepted: number;
  readonly missing: number;
  /** Bodies that nobody has sent. */
  readonly invented: number;
  readonly storedThoughRefused: number;
}

/** @param made  bodies that were made */
export const keptOf = (accepted: ReadonlySet<number>, stored: ReadonlyMap<number, number>, made: number): Kept => {
  const all = [...stored.values()].reduce((sum, one) => sum + one, 0);
  const missing = [...accepted].reduce((sum, number) => sum + PER_BODY - (stored.get(number) ?? 0), 0);
  return {
    accepted: accepted.size * PER_BODY,
    missing,
    invented: [...stored.keys()].filter((number) => number < 0 || number >= made).length,
    storedThoughRefused: all - (accepted.size * PER_BODY - missing),
  };
};
