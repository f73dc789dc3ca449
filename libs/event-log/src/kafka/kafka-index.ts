/**
 * The log's own compacted topic on Kafka: what its other topics can't hold. The generation of each topic and what began it, checkpoints of known time by offset, and a copy of
 * each group's offsets (Kafka forgets those of a group that was away long enough, and the group would start over in silence).
 */
import { greatestGeneration } from '../positions.js';
import type { GenerationClaim, GenerationStart } from './generation-marker.js';
import type { KafkaCluster, RawRecord } from './kafka-cluster.js';
import type { Checkpoint } from './kafka-records.js';
import type { KnownState } from './known-times.js';

export const indexTopic = 'log-index.v1';

export type IndexEntry =
  | { readonly kind: 'topic'; readonly topic: string; readonly generation: number }
  | ({ readonly kind: 'start'; readonly topic: string } & GenerationStart)
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
  /** By topic, then by generation. */
  private readonly starts = new Map<string, Map<number, GenerationStart>>();
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

  /** The greatest generation that anybody has set out to begin, whether or not it came to that. */
  lastStarted(topic: string): number {
    return Math.max(0, ...(this.starts.get(topic)?.keys() ?? []));
  }

  knows(topic: string, { generation }: GenerationClaim): boolean {
    return this.starts.get(topic)?.has(generation) ?? false;
  }

  /** The generation that a marker begins; undefined if it is none of the log's. */
  startOf(topic: string, { generation, token }: GenerationClaim): GenerationStart | undefined {
    const start = this.starts.get(topic)?.get(generation);
    return start?.token === token ? start : undefined;
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
    // Of two who begin the same generation the first counts, and who that is only the topic says.
    for (const entry of entries) if (entry.kind !== 'start') this.learn(entry);
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
    const entry = entryOf(parsed(key), parsed(value));
    if (entry !== undefined) this.learn(entry);
  }

  private learn(entry: IndexEntry): void {
    if (entry.kind === 'topic') this.generations.set(entry.topic, entry.generation);
    else if (entry.kind === 'start') {
      const { kind: _, topic, ...start } = entry;
      const known = this.starts.get(topic) ?? new Map<number, GenerationStart>();
      this.starts.set(topic, known);
      if (!known.has(start.generation)) known.set(start.generation, start);
    } else if (entry.kind === 'group') {
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
  if (entry.kind === 'start') {
    const { generation, token, aboveUs } = entry;
    return { partition: 0, key: JSON.stringify(['start', topic, generation, token]), value: JSON.stringify({ aboveUs }) };
  }
  const { partition, offset } = entry;
  if (entry.kind === 'gone') return { partition: 0, key: JSON.stringify(['checkpoint', topic, partition, offset]), value: null };
  const state: KnownState = { ahead: entry.ahead, generation: entry.generation };
  return entry.kind === 'group'
    ? { partition: 0, key: JSON.stringify(['group', entry.group, topic, partition]), value: JSON.stringify({ offset, ...state }) }
    : { partition: 0, key: JSON.stringify(['checkpoint', topic, partition, offset]), value: JSON.stringify(state) };
};

/** Undefined for nothing, and for what nobody of us wrote. */
const parsed = (text: Buffer | null): unknown => {
  try {
    return text === null ? undefined : JSON.parse(text.toString());
  } catch {
    return undefined;
  }
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';

/** −∞ is null in JSON. */
const checkpointIn = (told: unknown, offset?: number): Checkpoint | undefined => {
  if (typeof told !== 'object' || told === null) return undefined;
  const { ahead, generation, offset: own } = told as Partial<Record<keyof Checkpoint, unknown>>;
  const place = offset ?? own;
  if (!isCount(place) || !isCount(generation) || generation > greatestGeneration) return undefined;
  if (ahead === null) return { offset: place, ahead: Number.NEGATIVE_INFINITY, generation };
  return Number.isSafeInteger(ahead) ? { offset: place, ahead: Number(ahead), generation } : undefined;
};

const aboveIn = (told: unknown): number | undefined => {
  const aboveUs = typeof told === 'object' && told !== null && 'aboveUs' in told ? told.aboveUs : undefined;
  return isCount(aboveUs) ? aboveUs : undefined;
};

/** Undefined for what means nothing here: a stranger's record must not stop those who read the index. */
const entryOf = (key: unknown, told: unknown): IndexEntry | undefined => {
  if (!Array.isArray(key)) return undefined;
  const [kind, topic, one, other] = key as readonly unknown[];
  if (kind === 'group') {
    const here = checkpointIn(told);
    return isText(topic) && isText(one) && isCount(other) && here !== undefined
      ? { kind, group: topic, topic: one, partition: other, ...here }
      : undefined;
  }
  if (!isText(topic)) return undefined;
  if (kind === 'topic') return isCount(told) && told <= greatestGeneration ? { kind, topic, generation: told } : undefined;
  if (kind === 'start') {
    const aboveUs = aboveIn(told);
    const isOne = isCount(one) && one <= greatestGeneration && isText(other) && aboveUs !== undefined;
    return isOne ? { kind, topic, generation: one, token: other, aboveUs } : undefined;
  }
  if (kind !== 'checkpoint' || !isCount(one) || !isCount(other)) return undefined;
  const here = checkpointIn(told, other);
  if (told === undefined) return { kind: 'gone', topic, partition: one, offset: other };
  return here === undefined ? undefined : { kind, topic, partition: one, ...here };
};
