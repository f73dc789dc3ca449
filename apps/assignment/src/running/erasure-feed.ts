/** Follows `erasures.v1`: before anything is sent from the spool it is known whose rows may not be, and each erasure is told when the spool has none of them. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERASURES, type ErasureRequest, type ErasureStep, erasureKey } from '@rampart/contracts';
import { type EventLog, FollowedTopic } from '@rampart/event-log';
import { repeatErasure } from '@rampart/feedback-rows';
import type { Log } from '@rampart/service-kit';
import { ErasedUnits, type HeardErasure } from '../exposures/erased-units.js';
import { SOURCE } from '../exposures/exposure-row.js';
import type { ExposureSpool } from '../exposures/exposure-spool.js';
import { SentPlaces } from '../exposures/sent-places.js';
import type { SpooledExposures } from '../exposures/spooled.exposures.js';

const LOOK_EVERY_MS = 50;

export class ErasureFeed {
  readonly units: ErasedUnits;
  readonly sent: SentPlaces;
  private readonly followed: FollowedTopic;
  private readonly stopping = new AbortController();
  private readonly inHand = new Set<Promise<void>>();

  constructor(
    private readonly log: EventLog,
    private readonly spool: Pick<ExposureSpool, 'oldest' | 'markOf' | 'sentBefore' | 'settle' | 'isSettled'>,
    private readonly exposures: Pick<SpooledExposures, 'forget'>,
    private readonly lines: Log,
    private readonly partitions: number,
  ) {
    this.units = new ErasedUnits(spool);
    this.sent = new SentPlaces(spool.sentBefore());
    this.followed = new FollowedTopic(log, {
      topic: ERASURES,
      what: 'erasures',
      take: ({ value }) => {
        const heard = this.units.take(value);
        if (heard === undefined) return;
        this.exposures.forget(heard.request);
        // Asked now: what is sent from here on was told later.
        if (heard.request.sealed !== null) this.tellLater(heard, this.sent.hasBehind(heard.request, heard.before));
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

  private tellLater(heard: HeardErasure, wasSentBehind: boolean): void {
    const telling = this.tell(heard, wasSentBehind)
      .catch((err: unknown) => this.lines.warn({ err, erasure: heard.request.id }, 'an erasure is applied here, and nobody was told'))
      .finally(() => this.inHand.delete(telling));
    this.inHand.add(telling);
  }

  private async tell({ request, before }: HeardErasure, wasSentBehind: boolean): Promise<void> {
    const isWaiting = () => (this.spool.oldest()?.place ?? Number.POSITIVE_INFINITY) < before;
    // What waits from before is sent, or left out, in its order.
    while (isWaiting() && !this.stopping.signal.aborted)
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    if (this.stopping.signal.aborted) return;
    // An earlier life may have sent what was left out meanwhile, and may have repeated the erasure: a second time would take what was told since.
    if (!this.spool.isSettled(request.id)) {
      if (wasSentBehind || this.sent.wasLeftOut(request)) await this.eraseAgain(request);
      // On a full disk it is not known in the next life, which may then repeat it.
      await this.spool.settle(request.id).catch(() => undefined);
    }
    const doneAtUs = Date.now() * 1_000;
    const step: ErasureStep = {
      kind: 'step',
      id: request.id,
      store: 'spools',
      part: `${hostname()}/${process.pid}`,
      doneAtUs,
      removed: null,
    };
    await this.log.append(ERASURES, [{ partition: 0, key: erasureKey(step), value: JSON.stringify(step) }]);
  }

  /** Rows told before the erasure had gone out before it was heard of here, and lie behind it: another erasure takes them, and what else came to the log since. */
  private async eraseAgain(request: ErasureRequest): Promise<void> {
    await repeatErasure(this.log, request, { source: SOURCE, atUs: Date.now() * 1_000, partitions: this.partitions });
  }
}
