/** A member of a consumer group: joins, shares the partitions out when it leads, beats, and commits only as what it was when it got them. */
import type { KafkaCluster, RawBroker } from './kafka-cluster.js';
import { typeOf } from './kafka-errors.js';
import { assignmentOf, metadataOf, shared } from './kafka-sharing.js';

/** What a member keeps when its connections end: with its old id it comes back without waiting for its own session to run out. */
export interface MemberIdentity {
  memberId: string;
  held: readonly number[];
}

export interface MembershipOptions {
  readonly cluster: KafkaCluster;
  readonly groupId: string;
  readonly topic: string;
  readonly sessionMs: number;
  readonly identity: MemberIdentity;
  /** The group wants to share anew: let go of everything and call `join`. */
  onUnrest(): void;
  onLost(error: Error): void;
  /** Others have not come yet for some time: one that was killed is waited for until its session is over. */
  onWaiting?(): void;
}

/** How long a member may take to finish the batches in its hands when the group shares anew; whoever takes longer is out. */
const patienceWithMembers = 6;
/** A member hears with its beats that the group shares anew, and all others wait for it until then. */
const beatsPerSession = 20;
/** What a coordinator writes for a group takes less, or has failed by then. */
const waitsForOthersMs = 2_000;
const protocolName = 'rampart-sticky';
const never = new AbortController().signal;

export class KafkaMembership {
  /** What it owns until the next unrest. */
  assigned: ReadonlySet<number> = new Set();
  partitionCount = 0;
  isUnrestful = true;
  private generationId = -1;
  private coordinator: Promise<RawBroker> | undefined;
  private beat: NodeJS.Timeout | undefined;
  private hasLeft = false;
  private era = 0;

  constructor(private readonly options: MembershipOptions) {}

  /** Waits until all members have come, or were given up. */
  async join(closing: AbortSignal = never): Promise<void> {
    while (!this.hasLeft && !closing.aborted) {
      this.partitionCount = await this.options.cluster.partitionCount(this.options.topic);
      try {
        return await aborted(this.joinOnce(), closing);
      } catch (error) {
        const type = typeOf(error);
        if (type === 'UNKNOWN_MEMBER_ID') this.options.identity.memberId = '';
        else if (type !== 'REBALANCE_IN_PROGRESS' && type !== 'ILLEGAL_GENERATION') throw error;
      }
    }
  }

  /** The group must share anew, since the partitions have become more. */
  unrest(): void {
    if (this.isUnrestful) return;
    this.isUnrestful = true;
    this.options.onUnrest();
  }

  /** Fails when the partitions were given to others meanwhile: the commit names the generation that they were given in. */
  async commit(generationId: number, partition: number, offset: number, metadata: string): Promise<void> {
    const { groupId, topic, identity } = this.options;
    const topics = [{ topic, partitions: [{ partition, offset: `${offset}`, metadata }] }];
    await this.ask((broker) => broker.offsetCommit({ groupId, groupGenerationId: generationId, memberId: identity.memberId, topics }));
  }

  get generation(): number {
    return this.generationId;
  }

  /** @returns undefined when nothing was ever committed, or Kafka has forgotten it */
  async committed(partition: number): Promise<{ readonly offset: number; readonly metadata: string | undefined } | undefined> {
    const { groupId, topic } = this.options;
    const { responses } = await this.ask((broker) => broker.offsetFetch({ groupId, topics: [{ topic, partitions: [{ partition }] }] }));
    const found = responses[0]?.partitions.find((one) => one.partition === partition);
    if (found === undefined || Number(found.offset) < 0) return undefined;
    return { offset: Number(found.offset), metadata: found.metadata };
  }

  async leave(): Promise<void> {
    this.hasLeft = true;
    clearTimeout(this.beat);
    const { groupId, identity } = this.options;
    const { memberId } = identity;
    identity.memberId = '';
    if (memberId === '') return;
    await (await this.coordinator)?.leaveGroup({ groupId, memberId });
  }

  /** Stops beating; the group still counts it as a member. */
  drop(): void {
    this.hasLeft = true;
    clearTimeout(this.beat);
  }

  private async joinOnce(): Promise<void> {
    // A beat that came back after this would speak of the generation before.
    clearTimeout(this.beat);
    this.era += 1;
    const { groupId, topic, sessionMs, identity, onWaiting } = this.options;
    const joined = await this.ask((broker) => {
      const waiting = setTimeout(() => onWaiting?.(), waitsForOthersMs);
      const request = {
        groupId,
        sessionTimeout: sessionMs,
        rebalanceTimeout: Math.max(30_000, sessionMs * patienceWithMembers),
        memberId: identity.memberId,
        groupProtocols: [{ name: protocolName, metadata: metadataOf(topic, { held: identity.held, partitions: this.partitionCount }) }],
      };
      return broker.joinGroup(request).finally(() => clearTimeout(waiting));
    });
    identity.memberId = joined.memberId;
    this.generationId = joined.generationId;
    const isLeader = joined.leaderId === joined.memberId;
    const { memberAssignment } = await this.ask((broker) =>
      broker.syncGroup({
        groupId,
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupAssignment: isLeader ? shared(topic, joined.members) : [],
      }),
    );
    this.assigned = new Set(assignmentOf(topic, memberAssignment));
    identity.held = [...this.assigned];
    this.isUnrestful = false;
    this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.beat);
    if (!this.hasLeft) this.beat = setTimeout(() => void this.beatOnce(), this.options.sessionMs / beatsPerSession);
  }

  private async beatOnce(): Promise<void> {
    const { groupId, identity, onLost } = this.options;
    const { era } = this;
    try {
      await this.ask((broker) => broker.heartbeat({ groupId, groupGenerationId: this.generationId, memberId: identity.memberId }));
    } catch (error) {
      if (this.hasLeft || era !== this.era) return;
      if (typeOf(error) === 'REBALANCE_IN_PROGRESS') this.unrest();
      else {
        // Evicted: the id is worth nothing any more. Of another generation it is still known, and without its bearer the group would wait for it.
        if (typeOf(error) === 'UNKNOWN_MEMBER_ID') identity.memberId = '';
        return onLost(error instanceof Error ? error : new Error(String(error)));
      }
    }
    if (era === this.era) this.schedule();
  }

  /** The coordinator may have moved to another broker, which knows the members too. */
  private ask<T>(request: (broker: RawBroker) => Promise<T>): Promise<T> {
    const { cluster, groupId, sessionMs } = this.options;
    return cluster.patiently(async () => {
      this.coordinator ??= cluster.coordinator(groupId);
      try {
        return await request(await this.coordinator);
      } catch (error) {
        const type = typeOf(error);
        if (type === undefined || type.includes('COORDINATOR')) this.coordinator = undefined;
        throw error;
      }
    }, sessionMs / 2);
  }
}

const aborted = async <T>(waiting: Promise<T>, signal: AbortSignal): Promise<T | undefined> => {
  let end: () => void = () => undefined;
  const ended = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  signal.addEventListener('abort', end);
  // A log that is away for hours is asked again and again, always with the same signal.
  return Promise.race([waiting, ended]).finally(() => signal.removeEventListener('abort', end));
};
