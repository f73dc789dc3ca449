/** Consumer groups in memory: who is there, who owns what, and the offsets that outlive them. */
import type { SeatEvents } from '../consuming/consumer.js';

interface Group {
  readonly members: MemoryMember[];
  readonly owners: Map<number, MemoryMember>;
  readonly offsets: Map<number, number>;
}

export class MemoryGroups {
  private readonly groups = new Map<string, Group>();

  join(name: string, events: SeatEvents): MemoryMember {
    const group: Group = this.groups.get(name) ?? { members: [], owners: new Map(), offsets: new Map() };
    this.groups.set(name, group);
    const member = new MemoryMember(group, events);
    group.members.push(member);
    member.nudgeOthers();
    return member;
  }

  /** Every member loses its place, as when a server goes. */
  cut(): void {
    for (const { members } of this.groups.values()) for (const member of [...members]) member.cut();
  }

  offsetsOf(group: string, topic: string): Map<number, number> | undefined {
    return this.groups.get(`${group}/${topic}`)?.offsets;
  }
}

export class MemoryMember {
  private isGone = false;

  constructor(
    private readonly group: Group,
    private readonly events: SeatEvents,
  ) {}

  place(): { readonly rank: number; readonly members: number } {
    this.checkThere();
    return { rank: this.group.members.indexOf(this), members: this.group.members.length };
  }

  acquire(partition: number): boolean {
    this.checkThere();
    if (this.group.owners.has(partition)) return false;
    this.group.owners.set(partition, this);
    return true;
  }

  release(partition: number): void {
    if (this.group.owners.get(partition) === this) this.group.owners.delete(partition);
    this.nudgeOthers();
  }

  offset(partition: number): number | undefined {
    return this.group.offsets.get(partition);
  }

  commit(partition: number, next: number): void {
    this.checkThere();
    this.group.offsets.set(partition, next);
  }

  leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.group.members.splice(this.group.members.indexOf(this), 1);
    for (const [partition, owner] of this.group.owners) if (owner === this) this.group.owners.delete(partition);
    this.nudgeOthers();
  }

  cut(): void {
    this.leave();
    this.events.lost(new Error('The connection to the log was cut.'));
  }

  nudgeOthers(): void {
    for (const member of this.group.members) if (member !== this) member.events.wake();
  }

  private checkThere(): void {
    if (this.isGone) throw new Error('This member has lost its place in the group.');
  }
}
