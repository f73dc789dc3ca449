/**
 * What ingestion does about an erasure: raw events first, then letters, where the raw id is. Level-triggered: what is open is looked at again until it is
 * done, so that a process that dies leaves it to the next.
 */
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ERASURES, type ErasureRequest, type ErasureStep, erasureMessageIn, RAW_FEEDBACK } from '@rampart/contracts';
import { unitSeal } from '@rampart/contracts/pseudonyms';
import { EventLog, type Subscription } from '@rampart/event-log';
import { LOG, type Log, Readiness } from '@rampart/service-kit';
import { RawConsumer } from '../raw/raw.consumer.js';
import { LogLink } from '../running/log-link.js';
import { Erasures } from './erasures.js';
import { dropLettersAbout } from './letters-about.js';

/** Offsets hang on it: all processes together do what must be done once. */
const GROUP = 'ingestion-erasures';
const LOOK_EVERY_MS = 500;

/** The token of RAMPART_SECRET. */
export const PLATFORM_SECRET = 'ingestion:platform-secret';

@Injectable()
export class ErasureWork implements OnModuleInit, BeforeApplicationShutdown {
  private subscription: Subscription | undefined;
  private looking: NodeJS.Timeout | undefined;
  private looked: Promise<void> = Promise.resolve();
  private isStopping = false;
  /** By erasure: how far each partition of the raw topic must be read before what it had is dropped. */
  private readonly ends = new Map<string, Promise<readonly number[]>>();

  constructor(
    private readonly log: EventLog,
    private readonly link: LogLink,
    private readonly erasures: Erasures,
    private readonly raw: RawConsumer,
    @Inject(PLATFORM_SECRET) private readonly platformSecret: string,
    @Inject(LOG) private readonly lines: Log,
    readiness: Readiness,
  ) {
    readiness.note('erasures', () => this.subscription?.stats().partitions.find(({ failing }) => failing !== undefined)?.failing?.error);
  }

  onModuleInit(): void {
    void this.link.begun.then(() => this.start()).catch((err: unknown) => this.lines.error({ err }, 'erasures are not read'));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.looking);
    await Promise.all([this.subscription?.close(), this.looked]);
    await this.erasures.stop();
  }

  private async start(): Promise<void> {
    await this.erasures.start();
    if (this.isStopping) return;
    this.subscription = this.log.consume({
      topic: ERASURES,
      group: GROUP,
      onBatch: async ({ messages }) => {
        const ids = new Set(messages.flatMap(({ value }) => erasureMessageIn(value)?.id ?? []));
        for (const id of ids) {
          // What was just told of another one counts.
          await this.erasures.readToTheEnd();
          await this.advance(id);
        }
      },
      onPoison: async ({ message, error }) =>
        this.lines.error({ err: error, offset: message.offset }, 'a message about an erasure is skipped'),
    });
    this.subscription.done.catch((err: unknown) => this.lines.fatal({ err }, 'erasures do not go on'));
    let isLooking = false;
    this.looking = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      this.looked = this.dropRaw()
        .catch((err: unknown) => this.lines.warn({ err }, 'raw events of erased units are still there'))
        .finally(() => {
          isLooking = false;
        });
    }, LOOK_EVERY_MS).unref();
  }

  private async advance(id: string): Promise<void> {
    const known = this.erasures.find(id);
    if (known === undefined) return;
    const { request, steps } = known;
    if (request.sealed === null) return;
    // What is still to be read there may be refused and become a letter. The step of each partition that was read brings us here again.
    if (!this.erasures.isDone(id, 'raw-events')) return;
    if (!steps.has('dead-letters/log')) await this.dropLetters(request, request.sealed);
    // Once nobody needs the raw id any more, not even sealed.
    else if (this.erasures.progressOf(request).state === 'done') await this.erasures.tell([{ ...request, sealed: null }]);
  }

  private async dropLetters({ id, unit }: ErasureRequest, sealed: string): Promise<void> {
    const unitId = unitSeal(this.platformSecret).opened(sealed);
    const waiting = this.erasures.open().filter((one) => one.id !== id && this.isViewBehind(one.id));
    const { removed, isMarked } = await dropLettersAbout(this.log, { id, unitId, unit, waiting: waiting.map((one) => one.id) });
    const ofLog = stepOf(id, 'dead-letters', 'log', removed);
    // Where there is no mark, there is nothing that the view could wait for.
    await this.erasures.tell(isMarked ? [ofLog] : [ofLog, stepOf(id, 'dead-letters', 'store', null)]);
  }

  private isViewBehind(id: string): boolean {
    const steps = this.erasures.find(id)?.steps;
    return steps?.has('dead-letters/log') === true && !steps.has('dead-letters/store');
  }

  /** Whatever was there at the time of the request is in the feedback log, or a letter, by the time it is dropped: nobody loses it. */
  private async dropRaw(): Promise<void> {
    for (const { id } of this.erasures.open()) {
      const ends = await this.endsOf(id);
      const steps = this.erasures.find(id)?.steps;
      for (const { partition, next } of this.raw.progress()) {
        const end = ends[partition];
        if (end === undefined || next < end || steps?.has(`raw-events/${partition}`)) continue;
        const removed = await this.log.dropBefore({ topic: RAW_FEEDBACK, partition, offset: end });
        await this.erasures.tell([stepOf(id, 'raw-events', String(partition), removed)]);
      }
    }
  }

  private endsOf(id: string): Promise<readonly number[]> {
    const ends = this.ends.get(id) ?? this.log.offsets(RAW_FEEDBACK).then((all) => all.map(({ end }) => end));
    this.ends.set(id, ends);
    ends.catch(() => this.ends.delete(id));
    return ends;
  }
}

const stepOf = (id: string, store: ErasureStep['store'], part: string, removed: number | null): ErasureStep => ({
  ...{ kind: 'step', id, store, part, removed },
  doneAtUs: Date.now() * 1_000,
});
