/** A member's place in a consumer group. */
import type { Seat, SeatEvents } from '../consuming/consumer.js';
import type { ConsumeOptions, PartitionOffsets } from '../event-log.js';
import { KafkaCluster } from './kafka-cluster.js';
import { explained } from './kafka-errors.js';
import { KafkaMembership, type MemberIdentity } from './kafka-membership.js';
import { KafkaStand, type OffsetPlace, type SeatOptions, type Standing } from './kafka-seat.js';
import { type KnownState, stateOfText, stateText } from './known-times.js';

export type GroupSeatOptions = SeatOptions & {
  readonly group: string;
  /** Of partitions in which the group has no offset. */
  readonly from: ConsumeOptions['from'];
  readonly sessionMs: number;
  readonly identity: MemberIdentity;
};

/** How often a group's offsets are copied to the index at most: what Kafka forgets costs as much reading again. */
const copyEveryMs = 5_000;

/** The name of the group at Kafka: a group of the log has a membership for each of its topics. */
const groupIdOf = (group: string, topic: string): string => `${group}.${topic}`;

export const takeGroupSeat = async (options: GroupSeatOptions, events: SeatEvents): Promise<Seat> => {
  const seat = new KafkaGroupSeat(options, events);
  try {
    await seat.join();
  } catch (error) {
    await seat.leave(true);
    throw explained(error);
  }
  return seat;
};

class KafkaGroupSeat implements Seat {
  private readonly stand: KafkaStand;
  private readonly membership: KafkaMembership;
  private isJoining = false;
  /** One at a time: each has connections of its own. */
  private telling: Promise<void> | undefined;
  private readonly held = new Map<number, { readonly generationId: number; copiedAtMs: number; copy: (() => void) | undefined }>();

  constructor(
    private readonly options: GroupSeatOptions,
    private readonly events: SeatEvents,
  ) {
    const { topic, group, sessionMs, identity } = options;
    const lost = (error: Error) => events.lost(explained(error));
    this.stand = new KafkaStand(options, lost);
    this.membership = new KafkaMembership({
      cluster: this.stand.cluster,
      groupId: groupIdOf(group, topic.topic),
      topic: topic.topic,
      sessionMs,
      identity,
      onUnrest: () => events.wake(),
      onLost: lost,
      onWaiting: () => {
        this.telling ??= this.tellReached().finally(() => {
          this.telling = undefined;
        });
      },
    });
  }

  async join(): Promise<void> {
    this.isJoining = true;
    try {
      await this.membership.join(this.events.closing);
    } finally {
      this.isJoining = false;
    }
  }

  async survey() {
    const { membership } = this;
    try {
      // The group shares anew when everybody has let go: two never have the same partition.
      if (membership.isUnrestful && this.held.size === 0) await this.join();
      const offsets: readonly PartitionOffsets[] = await this.stand.offsets();
      if (offsets.length > membership.partitionCount) {
        await this.stand.cluster.refresh();
        membership.unrest();
      }
      return { rank: 0, members: 1, offsets, mine: membership.isUnrestful ? nothing : membership.assigned };
    } catch (error) {
      throw explained(error);
    }
  }

  async acquire(partition: number): Promise<boolean> {
    const { membership } = this;
    if (membership.isUnrestful || !membership.assigned.has(partition)) return false;
    this.held.set(partition, { generationId: membership.generation, copiedAtMs: performance.now(), copy: undefined });
    return true;
  }

  async release(partition: number): Promise<void> {
    this.held.get(partition)?.copy?.();
    this.held.delete(partition);
    this.stand.shut(partition);
    if (this.membership.isUnrestful && this.held.size === 0) this.events.wake();
  }

  source(partition: number) {
    const { group } = this.options;
    const place: OffsetPlace = {
      who: `Consumer group "${group}"`,
      stored: (one) => this.stored(one),
      commit: (one, standing) => this.commit(one, standing),
    };
    return this.stand.source(partition, place);
  }

  /** Over another connection: a broker answers nothing on the one that waits for the group. */
  private async tellReached(): Promise<void> {
    const other = new KafkaCluster(this.options);
    const { closing } = this.events;
    const close = () => void other.close();
    closing.addEventListener('abort', close);
    try {
      await other.patiently(() => other.bounds(this.options.topic.topic));
      if (this.isJoining) this.events.reached();
    } catch {
      // The trouble that is told goes on.
    } finally {
      closing.removeEventListener('abort', close);
      await other.close();
    }
  }

  async leave(comesBack: boolean): Promise<void> {
    if (comesBack) this.membership.drop();
    else await this.membership.leave().catch(() => undefined);
    await this.stand.leave();
  }

  private async stored(partition: number): Promise<Standing | undefined> {
    const { index, group, topic, from } = this.options;
    const committed = await this.membership.committed(partition);
    if (committed !== undefined) return { offset: committed.offset, state: stateOfText(committed.metadata) };
    await index.refresh();
    const copy = index.groupOffset(group, topic.topic, partition);
    if (copy !== undefined) return { offset: copy.offset, state: copy };
    const first = from?.[partition];
    return first === undefined ? undefined : { offset: first, state: undefined };
  }

  private async commit(partition: number, { offset, state }: Standing & { readonly state: KnownState }): Promise<void> {
    const held = this.held.get(partition);
    if (held === undefined) throw new Error(`This consumer has lost partition ${partition}.`);
    await this.membership.commit(held.generationId, partition, offset, stateText(state));
    const { index, group, topic } = this.options;
    held.copy = () => {
      held.copy = undefined;
      held.copiedAtMs = performance.now();
      index.write([{ kind: 'group', group, topic: topic.topic, partition, offset, ...state }]).catch(() => undefined);
    };
    if (performance.now() - held.copiedAtMs > copyEveryMs) held.copy();
  }
}

const nothing: ReadonlySet<number> = new Set();
