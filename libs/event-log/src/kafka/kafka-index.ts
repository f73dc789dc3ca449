/**
 * The log's own compacted topic on Kafka: what its other topics can't hold. The generation of each topic, checkpoints of known time by offset, and a copy of
 * each group's offsets (Kafka forgets those of a group that was away long enough, and the group would start over in silence).
 */
import type { KafkaCluster, RawRecord } from './kafka-cluster.js';
import type { Checkpoint } from './kafka-records.js';
import type { KnownState } from './known-times.js';

export const indexTopic = 'log-index.v1';

export type IndexEntry =
  | { readonly kind: 'topic'; readonly topic: string; readonly generation: number }
  | ({ readonly kind: 'checkpoint'; readonly topic: string; readonly partition: number } & Checkpoint)
  | { readonly kind: 'gone'; readonly topic: string; readonly partition: number; readonly offset: number }
  | ({ readonly kind: 'group'; readonly group: string; readonly topic: string; readonly partition: number } & Checkpoint);

export interface IndexMessage {
  readonly partition: 0;
  readonly key: string;
  readonly value: string | null;
}

const maxBytes = 4 * 2 ** 20;

export class KafkaIndex {
  private readonly generations = new Map<string, number>();
  private readonly checkpoints = new Map<string, Checkpoint[]>();
  private readonly groups = new Map<string, Checkpoint>();
  private made: Promise<unknown> | undefined;
  private position = 0;
  private reading: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(
    private readonly cluster: KafkaCluster,
    /** Makes entries durable, in order. */
    private readonly append: (topic: string, messages: readonly IndexMessage[]) => Promise<unknown>,
  ) {}

  /** Makes its topic, once. */
  ensure(create: () => Promise<unknown>): Promise<unknown> {
    this.made ??= create();
    const { made } = this;
    made.catch(() => {
      if (this.made === made) this.made = undefined;
    });
    return made;
  }

  generation(topic: string): number | undefined {
    return this.generations.get(topic);
  }

  /** The last one at or before an offset. */
  nearest(topic: string, partition: number, offset: number): Checkpoint | undefined {
    const sorted = this.checkpoints.get(`${topic}/${partition}`) ?? [];
    return sorted[placeOf(sorted, offset + 1) - 1];
  }

  last(topic: string, partition: number): Checkpoint | undefined {
    return this.checkpoints.get(`${topic}/${partition}`)?.at(-1);
  }

  groupOffset(group: string, topic: string, partition: number): Checkpoint | undefined {
    return this.groups.get(`${group}/${topic}/${partition}`);
  }

  /** Resolves when everything that was in the index at the call is known here. */
  refresh(): Promise<void> {
    if (this.next === undefined) {
      this.next = this.reading
        .catch(() => undefined)
        .then(() => {
          this.next = undefined;
          this.reading = this.cluster.patiently(() => this.readOn());
          return this.reading;
        });
    }
    return this.next;
  }

  async write(entries: readonly IndexEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.append(
      indexTopic,
      entries.map((entry) => messageOf(entry)),
    );
    for (const entry of entries) this.learn(entry);
  }

  /** Drops the checkpoints before an offset: nobody can start there any more. */
  async forgetBefore(topic: string, partition: number, offset: number): Promise<void> {
    const old = (this.checkpoints.get(`${topic}/${partition}`) ?? []).filter((one) => one.offset < offset);
    await this.write(old.map((one) => ({ kind: 'gone', topic, partition, offset: one.offset })));
  }

  private async readOn(): Promise<void> {
    const [bounds] = await this.cluster.bounds(indexTopic);
    const end = bounds?.end ?? 0;
    while (this.position < end) {
      const { messages } = await this.cluster.fetch(indexTopic, 0, this.position, maxBytes);
      for (const record of messages) this.take(record);
      if (messages.length === 0) this.position = end;
    }
  }

  private take({ offset, key, value }: RawRecord): void {
    if (Number(offset) < this.position) return;
    this.position = Number(offset) + 1;
    const entry = entryOf(key?.toString(), value?.toString());
    if (entry !== undefined) this.learn(entry);
  }

  private learn(entry: IndexEntry): void {
    if (entry.kind === 'topic') this.generations.set(entry.topic, entry.generation);
    else if (entry.kind === 'group') {
      const { group, topic, partition, offset, ahead, generation } = entry;
      this.groups.set(`${group}/${topic}/${partition}`, { offset, ahead, generation });
    } else this.place(entry);
  }

  private place(entry: Extract<IndexEntry, { kind: 'checkpoint' | 'gone' }>): void {
    const name = `${entry.topic}/${entry.partition}`;
    const sorted = this.checkpoints.get(name) ?? [];
    this.checkpoints.set(name, sorted);
    const at = placeOf(sorted, entry.offset);
    const isThere = sorted[at]?.offset === entry.offset;
    if (entry.kind === 'gone') sorted.splice(at, isThere ? 1 : 0);
    else sorted.splice(at, isThere ? 1 : 0, { offset: entry.offset, ahead: entry.ahead, generation: entry.generation });
  }
}

/** Index of the first checkpoint at or after an offset. */
const placeOf = (sorted: readonly Checkpoint[], offset: number): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
};

const messageOf = (entry: IndexEntry): IndexMessage => {
  const { topic } = entry;
  if (entry.kind === 'topic') return { partition: 0, key: JSON.stringify(['topic', topic]), value: JSON.stringify(entry.generation) };
  const { partition, offset } = entry;
  if (entry.kind === 'gone') return { partition: 0, key: JSON.stringify(['checkpoint', topic, partition, offset]), value: null };
  const state: KnownState = { ahead: entry.ahead, generation: entry.generation };
  return entry.kind === 'group'
    ? { partition: 0, key: JSON.stringify(['group', entry.group, topic, partition]), value: JSON.stringify({ offset, ...state }) }
    : { partition: 0, key: JSON.stringify(['checkpoint', topic, partition, offset]), value: JSON.stringify(state) };
};

const entryOf = (key: string | undefined, value: string | undefined): IndexEntry | undefined => {
  const [kind, ...names] = JSON.parse(key ?? '[]');
  const told = value === undefined ? undefined : JSON.parse(value);
  if (kind === 'topic' && told !== undefined) return { kind, topic: names[0], generation: told };
  if (kind === 'group' && told !== undefined) {
    return { kind, group: names[0], topic: names[1], partition: names[2], ...told, ahead: told.ahead ?? Number.NEGATIVE_INFINITY };
  }
  if (kind !== 'checkpoint') return undefined;
  const [topic, partition, offset] = names;
  return told === undefined ? { kind: 'gone', topic, partition, offset } : { kind, topic, partition, offset, ...told };
};
