/** The processes behind a front door of its own: which of them are ready, and whose turn it is. */
import type { ServiceName } from '../services.js';
import type { Place, Places } from './relay.js';

const CHECK_EVERY_MS = 500;
const CHECK_WITHIN_MS = 2_000;

interface Upstream {
  readonly service: ServiceName;
  readonly place: Place;
  isReady: boolean;
}

export interface UpstreamState {
  readonly service: ServiceName;
  readonly address: string;
  readonly isReady: boolean;
}

const addressOf = ({ host, port }: Place): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

const answersReady = async (place: Place): Promise<boolean> => {
  const reply = await fetch(`${addressOf(place)}/readyz`, { signal: AbortSignal.timeout(CHECK_WITHIN_MS) });
  await reply.body?.cancel();
  return reply.status === 200;
};

export class Upstreams implements Places {
  private readonly all: readonly Upstream[];
  private readonly turns = new Map<ServiceName, number>();
  private isOver = false;

  constructor(places: Readonly<Partial<Record<ServiceName, readonly Place[]>>>) {
    this.all = Object.entries(places).flatMap(([service, own]) =>
      own.map((place) => ({ service: service as ServiceName, place, isReady: false })),
    );
  }

  /** Looks at all of them once, and then again and again until closed. */
  async start(): Promise<void> {
    await Promise.all(this.all.map((one) => this.check(one)));
    for (const one of this.all) void this.watch(one);
  }

  /** The next that is ready. Where none is, the next of all: it says itself what it waits for. */
  placeOf(service: ServiceName, process?: number, refused: readonly Place[] = []): Place | undefined {
    const own = this.of(service);
    if (process !== undefined) return own[process - 1]?.place;
    const left = own.filter(({ place }) => !refused.includes(place));
    const ready = left.filter(({ isReady }) => isReady);
    const choice = ready.length > 0 ? ready : left;
    const turn = this.turns.get(service) ?? 0;
    this.turns.set(service, turn + 1);
    return choice[turn % choice.length]?.place;
  }

  processesOf(service: ServiceName): number {
    return this.of(service).length;
  }

  refused(place: Place): void {
    for (const one of this.all) if (one.place === place) one.isReady = false;
  }

  states(): readonly UpstreamState[] {
    return this.all.map(({ service, place, isReady }) => ({ service, address: addressOf(place), isReady }));
  }

  close(): void {
    this.isOver = true;
  }

  private of(service: ServiceName): readonly Upstream[] {
    return this.all.filter((one) => one.service === service);
  }

  private async check(one: Upstream): Promise<void> {
    one.isReady = await answersReady(one.place).catch(() => false);
  }

  private async watch(one: Upstream): Promise<void> {
    while (!this.isOver) {
      await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS).unref());
      await this.check(one);
    }
  }
}
