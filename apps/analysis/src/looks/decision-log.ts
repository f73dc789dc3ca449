/** The chains of appended records, from `decisions.v1`: who decided last about each comparison, and where each record lies in the log. */
import { Injectable } from '@nestjs/common';
import {
  type ComparisonPlace,
  comparisonKey,
  DECISIONS,
  type DecisionRecord,
  type InstantUs,
  type RecordedDecision,
} from '@rampart/contracts';
import { EventLog, FollowedTopic, type LogMessage } from '@rampart/event-log';
import { countedByArm } from '../figures/population.js';
import { definitionHash, type RecordHead, stepOf } from './records.js';

interface Entry {
  readonly head: RecordHead;
  /** Units in the analysis set, by arm. */
  readonly counted: Readonly<Record<string, number>>;
  readonly recordedAtUs: InstantUs;
  readonly offset: number;
}

/** Which records are meant; what is absent is not asked about. */
export interface RecordFilter {
  readonly project?: string | undefined;
  readonly environment?: string | undefined;
  readonly experiment?: string | undefined;
  /** Appended then or later. */
  readonly sinceUs?: InstantUs | undefined;
}

interface Told extends Pick<ComparisonPlace, 'project' | 'environment' | 'experiment'> {
  readonly id: string;
  readonly recordedAtUs: InstantUs;
}

@Injectable()
export class DecisionLog {
  /** By comparison, oldest first. */
  private readonly chains = new Map<string, Entry[]>();
  /** Of all comparisons, in the order of the log. */
  private readonly told: Told[] = [];
  private readonly offsets = new Map<string, number>();
  private readonly followed: FollowedTopic;
  private unreadable = 0;

  constructor(private readonly log: EventLog) {
    this.followed = new FollowedTopic(log, { topic: DECISIONS, what: 'decisions', take: (message) => this.take(message) });
  }

  /** The topic must exist. */
  start(): void {
    this.followed.start();
  }

  /** Why the newest record may not be known. */
  trouble(): string | undefined {
    return this.followed.trouble();
  }

  /** How many messages of the topic were no records. */
  get skipped(): number {
    return this.unreadable;
  }

  get newestRecordedAtUs(): InstantUs | undefined {
    let newest: number | undefined;
    for (const chain of this.chains.values()) newest = Math.max(newest ?? 0, chain.at(-1)?.recordedAtUs ?? 0);
    return newest;
  }

  newest(place: ComparisonPlace): RecordHead | undefined {
    return this.chains.get(comparisonKey(place))?.at(-1)?.head;
  }

  /** The last record whose look knew nothing later than `knownUntilUs`. */
  newestAsOf(place: ComparisonPlace, knownUntilUs: InstantUs): RecordHead | undefined {
    return this.chains.get(comparisonKey(place))?.findLast(({ head }) => head.knownUntilUs <= knownUntilUs)?.head;
  }

  /** Units in the analysis set, by arm, at the last record whose look knew nothing later; none before the first. */
  countedAsOf(place: ComparisonPlace, knownUntilUs: InstantUs): Readonly<Record<string, number>> {
    return this.chains.get(comparisonKey(place))?.findLast(({ head }) => head.knownUntilUs <= knownUntilUs)?.counted ?? {};
  }

  /** Those whose looks knew something later than `afterUs`. */
  recent(place: ComparisonPlace, afterUs: InstantUs): readonly RecordHead[] {
    const chain = this.chains.get(comparisonKey(place)) ?? [];
    return chain.map(({ head }) => head).filter(({ knownUntilUs }) => knownUntilUs > afterUs);
  }

  /** The record that was appended before it in its chain; null where it is the first. */
  before(record: ComparisonPlace & Pick<DecisionRecord, 'id'>): string | null {
    const chain = this.chains.get(comparisonKey(record)) ?? [];
    return chain[chain.findIndex(({ head }) => head.id === record.id) - 1]?.head.id ?? null;
  }

  /** Ids of the records that are meant, in the order in which they were appended. */
  idsOf({ project, environment, experiment, sinceUs = 0 }: RecordFilter): readonly string[] {
    const isMeant = (one: Told) =>
      one.recordedAtUs >= sinceUs &&
      (project === undefined || one.project === project) &&
      (environment === undefined || one.environment === environment) &&
      (experiment === undefined || one.experiment === experiment);
    return this.told.filter(isMeant).map(({ id }) => id);
  }

  /** Waits until everything that was appended before this call has been read: a record that somebody has just been told of is found. */
  readToTheEnd(withinMs = 2_000): Promise<void> {
    return this.followed.readToTheEnd(withinMs);
  }

  has(id: string): boolean {
    return this.offsets.has(id);
  }

  /** The whole record, from the log; undefined when there is none with this id. */
  async read(id: string): Promise<RecordedDecision | undefined> {
    const offset = this.offsets.get(id);
    if (offset === undefined) return undefined;
    const [message] = await this.log.read({ topic: DECISIONS, partition: 0, offset, limit: 1 });
    return message === undefined ? undefined : decisionIn(message);
  }

  async close(): Promise<void> {
    await this.followed.close();
  }

  private take(message: LogMessage): void {
    const decision = decisionIn(message);
    if (decision === undefined) {
      if (message.value !== null) this.unreadable += 1;
      return;
    }
    const { record, recordedAtUs } = decision;
    const head = headIn(record);
    if (head === undefined || !Array.isArray(record.population)) {
      this.unreadable += 1;
      return;
    }
    // At least once: a record that comes again is the same one.
    if (this.offsets.has(record.id)) return;
    this.offsets.set(record.id, message.offset);
    const { project, environment, experiment } = record;
    this.told.push({ id: record.id, project, environment, experiment, recordedAtUs });
    const key = comparisonKey(record);
    const chain = this.chains.get(key) ?? [];
    this.chains.set(key, chain);
    chain.push({ head, counted: countedByArm(record.population), recordedAtUs, offset: message.offset });
  }
}

/** Undefined for what has an id and is no record: whoever wrote it ends nobody's looks. */
const headIn = (record: DecisionRecord): RecordHead | undefined => {
  try {
    return headOf(record);
  } catch {
    return undefined;
  }
};

const headOf = (record: DecisionRecord): RecordHead => {
  const { id, previous, knownUntilUs, cause, policy, verdict, actions, latched, looks, definition } = record;
  // Findings are long and are read from the log when somebody asks.
  return {
    id,
    previous,
    knownUntilUs,
    cause,
    policy,
    verdict: { ...verdict, findings: [] },
    actions,
    latched,
    ...(looks === undefined ? {} : { looks }),
    definitionHash: definitionHash(definition),
    step: stepOf(definition.state),
  };
};

const decisionIn = ({ value }: LogMessage): RecordedDecision | undefined => {
  if (value === null) return undefined;
  try {
    const decision = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<RecordedDecision>;
    return typeof decision.record?.id === 'string' ? (decision as RecordedDecision) : undefined;
  } catch {
    return undefined;
  }
};
