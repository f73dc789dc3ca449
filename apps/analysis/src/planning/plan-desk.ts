/** Plans take up to half a second of a core: they are computed in a thread beside the one that takes looks and answers everybody else. */
import { Worker } from 'node:worker_threads';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { PowerPlan } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import type { ExpectedMetric } from './expected-metric.js';
import type { planFor } from './power-plan.js';

export interface PlanQuestion {
  readonly question: Parameters<typeof planFor>[0];
  readonly expected: ExpectedMetric;
}

export type PlanAnswer =
  | { readonly plan: PowerPlan }
  | { readonly refused: { readonly code: string; readonly message: string; readonly details: Readonly<Record<string, unknown>> } };

interface Asked extends PlanQuestion {
  readonly resolve: (plan: PowerPlan) => void;
  readonly reject: (error: Error) => void;
}

/** One is computed, the others wait: some seconds of work at most. */
const MOST_ASKED = 16;

/** 503 with Retry-After. */
class PlansBusy extends DomainError {
  readonly retryAfterMs = 2_000;

  constructor() {
    super('unavailable', `${MOST_ASKED} plans are being computed, and no more may wait: ask again after Retry-After.`);
  }
}

@Injectable()
export class PlanDesk implements OnApplicationShutdown {
  private worker: Worker | null = null;
  /** The first one is with the worker. */
  private readonly asked: Asked[] = [];

  /** @throws DomainError what `planFor` refuses, or 503 where too many wait */
  plan({ question, expected }: PlanQuestion): Promise<PowerPlan> {
    if (this.asked.length >= MOST_ASKED) return Promise.reject(new PlansBusy());
    return new Promise((resolve, reject) => {
      this.asked.push({ question, expected, resolve, reject });
      if (this.asked.length === 1) this.next();
    });
  }

  async onApplicationShutdown(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    for (const { reject } of this.asked.splice(0)) reject(new DomainError('unavailable', 'The service stops: ask again.'));
    await worker?.terminate();
  }

  private next(): void {
    const [first] = this.asked;
    if (first === undefined) return;
    this.worker ??= this.started();
    const { question, expected } = first;
    this.worker.postMessage({ question, expected } satisfies PlanQuestion);
  }

  /** At the first question: most processes are never asked. */
  private started(): Worker {
    const worker = new Worker(new URL('./plan-worker.js', import.meta.url), { execArgv: [] });
    // A process that ends does not wait for it.
    worker.unref();
    worker.on('message', (answer: PlanAnswer) => {
      const first = this.asked.shift();
      if ('plan' in answer) first?.resolve(answer.plan);
      else first?.reject(new DomainError(answer.refused.code, answer.refused.message, answer.refused.details));
      this.next();
    });
    worker.on('error', (error) => this.lost(worker, error));
    worker.on('exit', (code) => this.lost(worker, new Error(`the thread that computes plans ended with ${code}`)));
    return worker;
  }

  /** What it was at is lost with it; the next one gets a new thread. */
  private lost(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    this.worker = null;
    this.asked.shift()?.reject(error instanceof Error ? error : new Error(String(error)));
    this.next();
  }
}
