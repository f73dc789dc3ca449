/** Follows `erasures.v1`: before anything is sent from the spool it is known whose rows may not be, and each erasure is told when the spool has none of them. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERASURES, type ErasureRequest, type ErasureStep, erasureKey } from '@rampart/contracts';
import { type EventLog, FollowedTopic } from '@rampart/event-log';
import type { Log } from '@rampart/service-kit';
import { ErasedUnits } from '../exposures/erased-units.js';
import type { ExposureSpool } from '../exposures/exposure-spool.js';
import type { SpooledExposures } from '../exposures/spooled.exposures.js';

const LOOK_EVERY_MS = 50;

export class ErasureFeed {
  readonly units = new ErasedUnits();
  private readonly followed: FollowedTopic;
  private readonly stopping = new AbortController();
  private readonly inHand = new Set<Promise<void>>();

  constructor(
    private readonly log: EventLog,
    private readonly spool: Pick<ExposureSpool, 'oldest'>,
    private readonly exposures: Pick<SpooledExposures, 'forget'>,
    private readonly lines: Log,
  ) {
    this.followed = new FollowedTopic(log, {
      topic: ERASURES,
      what: 'erasures',
      take: ({ value }) => {
        const request = this.units.take(value);
        if (request === undefined) return;
        this.exposures.forget(request);
        if (request.sealed !== null) this.tellLater(request);
      },
    });
  }

  /** Resolves when every erasure so far is known. The topic must exist. */
  async start(): Promise<void> {
    this.followed.start();
    await this.followed.caughtUp;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.followed.close(), ...this.inHand]);
  }

  private tellLater(request: ErasureRequest): void {
    const telling = this.tell(request)
      .catch((err: unknown) => this.lines.warn({ err, erasure: request.id }, 'an erasure is applied here, and nobody was told'))
      .finally(() => this.inHand.delete(telling));
    this.inHand.add(telling);
  }

  private async tell({ id, requestedAtUs }: ErasureRequest): Promise<void> {
    const isWaiting = () => {
      const oldest = this.spool.oldest();
      return oldest !== undefined && (JSON.parse(oldest.text) as { at: number }).at <= requestedAtUs;
    };
    // What waits from before is sent, or left out, in its order.
    while (isWaiting() && !this.stopping.signal.aborted)
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    if (this.stopping.signal.aborted) return;
    const doneAtUs = Date.now() * 1_000;
    const step: ErasureStep = { kind: 'step', id, store: 'spools', part: `${hostname()}/${process.pid}`, doneAtUs, removed: null };
    await this.log.append(ERASURES, [{ partition: 0, key: erasureKey(step), value: JSON.stringify(step) }]);
  }
}
