/** How a group's partitions are shared: evenly, and each member keeps what it has as far as that goes. In the format of Kafka's own consumers. */
import { AssignerProtocol } from 'kafkajs';

export interface MemberWish {
  /** What it had until now. */
  readonly held: readonly number[];
  /** How many partitions it knows of; another number makes the group share anew. */
  readonly partitions: number;
}

export const metadataOf = (topic: string, wish: MemberWish): Buffer =>
  AssignerProtocol.MemberMetadata.encode({ version: 0, topics: [topic], userData: Buffer.from(JSON.stringify(wish)) });

const wishOf = (metadata: Buffer): MemberWish => {
  const userData = AssignerProtocol.MemberMetadata.decode(metadata)?.userData;
  return JSON.parse(userData?.toString() || '{"held":[],"partitions":0}');
};

export const assignmentOf = (topic: string, assignment: Buffer): readonly number[] =>
  AssignerProtocol.MemberAssignment.decode(assignment)?.assignment[topic] ?? [];

interface Member {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

/** What the leader tells everybody. */
export const shared = (topic: string, members: readonly Member[]): readonly { memberId: string; memberAssignment: Buffer }[] => {
  const wishes = members.map(({ memberId, memberMetadata }) => ({ memberId, ...wishOf(memberMetadata) }));
  const shares = sharesOf(wishes);
  return members.map(({ memberId }) => ({
    memberId,
    memberAssignment: AssignerProtocol.MemberAssignment.encode({
      version: 0,
      assignment: { [topic]: [...(shares.get(memberId) ?? [])] },
      userData: Buffer.alloc(0),
    }),
  }));
};

export const sharesOf = (wishes: readonly (MemberWish & { readonly memberId: string })[]): ReadonlyMap<string, readonly number[]> => {
  const count = Math.max(...wishes.map(({ partitions }) => partitions));
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  // Who has most comes first, so that the larger shares stay where they are.
  const members = [...wishes].sort((a, b) => b.held.length - a.held.length || (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map<string, number[]>();
  for (const [rank, { memberId, held }] of members.entries()) {
    const quota = Math.floor(count / members.length) + (rank < count % members.length ? 1 : 0);
    const kept = held.filter((partition) => free.has(partition)).slice(0, quota);
    for (const partition of kept) free.delete(partition);
    shares.set(memberId, kept);
  }
  for (const [rank, { memberId }] of members.entries()) {
    const quota = Math.floor(count / members.length) + (rank < count % members.length ? 1 : 0);
    const share = shares.get(memberId) ?? [];
    for (const partition of free) {
      if (share.length >= quota) break;
      share.push(partition);
      free.delete(partition);
    }
  }
  return shares;
};
