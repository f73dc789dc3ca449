import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { KafkaCluster, RawBroker } from './kafka-cluster.js';
import { KafkaMembership, type MemberIdentity } from './kafka-membership.js';

const SESSION_MS = 1_000;

const refused = (type: string): Error => Object.assign(new Error(type), { type });

/** A coordinator that refuses as it is told to, which no broker does when asked. */
const coordinatorWith = (refusals: { join?: string[]; beat?: string[] }) => {
  const joins: string[] = [];
  const broker: Partial<RawBroker> = {
    joinGroup: async (request) => {
      const { memberId } = request as { memberId: string };
      joins.push(memberId);
      const refusal = refusals.join?.shift();
      if (refusal !== undefined) throw refused(refusal);
      return { generationId: 1, leaderId: 'somebody-else', memberId: memberId === '' ? `member-${joins.length}` : memberId, members: [] };
    },
    syncGroup: async () => ({ memberAssignment: Buffer.alloc(0) }),
    heartbeat: async () => {
      const refusal = refusals.beat?.shift();
      if (refusal !== undefined) throw refused(refusal);
    },
  };
  const cluster: Partial<KafkaCluster> = {
    partitionCount: async () => 1,
    coordinator: async () => broker as RawBroker,
    patiently: (act) => act(),
  };
  return { cluster: cluster as KafkaCluster, joins };
};

const memberOf = (cluster: KafkaCluster, identity: MemberIdentity) => {
  const lost: Error[] = [];
  const membership = new KafkaMembership({
    ...{ cluster, groupId: 'g', topic: 't', sessionMs: SESSION_MS, identity },
    onUnrest: () => undefined,
    onLost: (error) => lost.push(error),
  });
  return { membership, lost };
};

describe('a member of a group', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it.each([
    ['ILLEGAL_GENERATION', 'keeps its id: the group knows it, and would wait for whoever does not come back with it', 'member-1'],
    ['UNKNOWN_MEMBER_ID', 'needs another id', ''],
  ])('that is refused with %s %s', async (refusal, _what, memberId) => {
    const { cluster } = coordinatorWith({ beat: [refusal] });
    const identity: MemberIdentity = { memberId: '', held: [] };
    const { membership, lost } = memberOf(cluster, identity);
    await membership.join();
    await jest.advanceTimersByTimeAsync(SESSION_MS);
    expect(lost).toHaveLength(1);
    expect(identity.memberId).toBe(memberId);
    membership.drop();
  });

  it('that waits for others says so after two seconds, and one that does not wait says nothing', async () => {
    const { cluster } = coordinatorWith({});
    const told: number[] = [];
    const waiting = (ms: number) => {
      const coordinator = async () => {
        const broker = (await cluster.coordinator('g')) as RawBroker;
        const joinGroup: RawBroker['joinGroup'] = async (request) => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          return broker.joinGroup(request);
        };
        return { ...broker, joinGroup };
      };
      return new KafkaMembership({
        cluster: { ...cluster, coordinator } as unknown as KafkaCluster,
        ...{ groupId: 'g', topic: 't', sessionMs: SESSION_MS, identity: { memberId: '', held: [] } },
        onUnrest: () => undefined,
        onLost: () => undefined,
        onWaiting: () => told.push(ms),
      });
    };
    for (const ms of [1_900, 2_100]) {
      const membership = waiting(ms);
      const joined = membership.join();
      await jest.advanceTimersByTimeAsync(ms);
      await joined;
      membership.drop();
      await jest.advanceTimersByTimeAsync(10_000);
    }
    expect(told).toEqual([2_100]);
  });

  it('that joins again and again leaves nothing behind at whoever may close it', async () => {
    const { cluster, joins } = coordinatorWith({ join: Array.from({ length: 50 }, () => 'REBALANCE_IN_PROGRESS') });
    const closing = new AbortController();
    const { membership } = memberOf(cluster, { memberId: '', held: [] });
    await membership.join(closing.signal);
    expect(joins).toHaveLength(51);
    expect(getEventListeners(closing.signal, 'abort')).toHaveLength(0);
    membership.drop();
  });
});
