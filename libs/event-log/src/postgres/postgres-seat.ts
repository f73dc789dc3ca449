/** A member's place in a consumer group, held by advisory locks: when its connection ends, so does the place. */
import { createHash } from 'node:crypto';
import type { Seat, SeatEvents, Survey } from '../consuming/consumer.js';
import { checkedStart, type PartitionSource, type Reading, readingOf } from '../consuming/partition-loop.js';
import type { BatchLimits, ConsumeOptions, TopicState } from '../event-log.js';
import { offsetsOf, offsetsText, readMessages, readOffsets } from './postgres-reader.js';
import { channelOf } from './postgres-schema.js';
import { openSession, type Session } from './postgres-session.js';

export interface SeatOptions {
  readonly url: string;
  readonly topic: TopicState;
  readonly group: string;
  /** Of partitions in which the group has no offset. */
  readonly from: ConsumeOptions['from'];
  readonly limits: Required<BatchLimits>;
  readonly patienceMs: number;
}

/** A member that hangs (stopped, swapped out) loses its connection, and with it its partitions, after this many patiences without a round. */
const patiences = 2;

/** 64 bits: two names that collided would lock each other out for ever. */
const lockKey = (...names: readonly (string | number)[]): bigint =>
  createHash('sha256')
    .update(JSON.stringify(['rampart log', ...names]))
    .digest()
    .readBigInt64BE();

/** As pg_locks shows a key: classid and objid. */
const halves = (key: bigint): readonly [string, string] => {
  const unsigned = BigInt.asUintN(64, key);
  return [(unsigned >> 32n).toString(), (unsigned & 0xffff_ffffn).toString()];
};

const survey = {
  name: 'rampart-log-survey',
  text: `select array(select pid from pg_locks where locktype = 'advisory' and granted and mode = 'ShareLock' and objsubid = 1
      and database = (select oid from pg_database where datname = current_database())
      and classid = $2::bigint::oid and objid = $3::bigint::oid order by pid)::text[] as members, pg_backend_pid()::text as me, o.*
    from (${offsetsText}) o`,
};
/** The server ends a member's idle session itself, but not one that waits for its client to take an answer. */
const evict = {
  name: 'rampart-log-evict',
  text: `select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'ClientWrite' and datname = current_database()
      and query_start < clock_timestamp() - $3::int * interval '1 millisecond'
      and pid in (select pid from pg_locks where locktype = 'advisory' and granted and mode = 'ShareLock' and objsubid = 1
        and classid = $1::bigint::oid and objid = $2::bigint::oid)`,
};
const commit = {
  name: 'rampart-log-commit',
  text: `insert into log.group_offset (group_name, topic, partition, next_offset, committed_us) values ($1, $2, $3, $4, log.now_us())
    on conflict (group_name, topic, partition) do update set next_offset = excluded.next_offset, committed_us = excluded.committed_us`,
};

export const takeSeat = async (options: SeatOptions, events: SeatEvents): Promise<Seat> => {
  const { url, topic, group, patienceMs } = options;
  const groupChannel = `rampart group ${lockKey(group, topic.topic)}`;
  const session = await openSession({
    url,
    name: `${group} < ${topic.topic}`,
    patienceMs,
    onNotice: (channel, payload) => events.wake(channel === groupChannel ? undefined : Number(payload)),
    onLost: events.lost,
  });
  try {
    await session.query(`listen "${channelOf(topic.topic)}"`);
    await session.query(`listen "${groupChannel}"`);
    await session.query(`set idle_session_timeout = ${patienceMs * patiences}`);
    // A commit that a crash of the server takes back is a redelivery; waiting for the disk would cost each batch more.
    await session.query('set synchronous_commit = off');
    await session.query('select pg_advisory_lock_shared($1)', [lockKey(group, topic.topic).toString()]);
    await session.query('select pg_notify($1, $2)', [groupChannel, 'joined']);
  } catch (error) {
    await session.end();
    throw error;
  }
  return new PostgresSeat(session, options, groupChannel);
};

class PostgresSeat implements Seat {
  private lookedForHungAtMs = performance.now();

  constructor(
    private readonly session: Session,
    private readonly options: SeatOptions,
    private readonly groupChannel: string,
  ) {}

  async survey(): Promise<Survey> {
    const { topic, group } = this.options;
    const key = halves(lockKey(group, topic.topic));
    await this.evictHung(key);
    const { rows } = await this.session.query({ ...survey, values: [topic.topic, ...key] });
    const { members = [], me } = rows[0] ?? {};
    return { rank: members.indexOf(me), members: members.length, offsets: offsetsOf(rows) };
  }

  async acquire(partition: number): Promise<boolean> {
    const { rows } = await this.session.query('select pg_try_advisory_lock($1) as mine', [this.key(partition)]);
    return rows[0]?.mine === true;
  }

  async release(partition: number): Promise<void> {
    await this.session.query('select pg_advisory_unlock($1), pg_notify($2, $3)', [this.key(partition), this.groupChannel, 'released']);
  }

  source(partition: number): PartitionSource {
    const { session, options } = this;
    const { topic, compacted } = options.topic;
    return {
      topic,
      compacted,
      start: () => this.start(partition),
      read: (from) => readBatch(session, options, partition, from),
      commit: async ({ offset }) => {
        await session.query({ ...commit, values: [options.group, topic, partition, offset + 1] });
      },
    };
  }

  async leave(): Promise<void> {
    // Best effort: the others notice at their next round anyway.
    await this.session.query('select pg_advisory_unlock_all(), pg_notify($1, $2)', [this.groupChannel, 'left']).catch(() => undefined);
    await this.session.end();
  }

  private async evictHung(key: readonly [string, string]): Promise<void> {
    const { patienceMs } = this.options;
    if (performance.now() - this.lookedForHungAtMs < patienceMs) return;
    this.lookedForHungAtMs = performance.now();
    await this.session.query({ ...evict, values: [...key, patienceMs * patiences] });
  }

  private async start(partition: number): Promise<number> {
    const { topic, group } = this.options;
    const text = 'select next_offset from log.group_offset where group_name = $1 and topic = $2 and partition = $3';
    const { rows } = await this.session.query(text, [group, topic.topic, partition]);
    const offsets = (await readOffsets(this.session, topic.topic))[partition] ?? { earliest: 0, end: 0 };
    const stored = rows[0]?.next_offset ?? this.options.from?.[partition];
    if (stored === undefined) return offsets.earliest;
    const { compacted } = topic;
    return checkedStart(Number(stored), { who: `Consumer group "${group}"`, topic: topic.topic, partition, ...offsets, compacted });
  }

  private key(partition: number): string {
    const { group, topic } = this.options;
    return lockKey(group, topic.topic, partition).toString();
  }
}

export type FollowerSeatOptions = Omit<SeatOptions, 'group' | 'from'> & {
  /** The offset that each partition's reading goes on at; kept over reconnections. */
  readonly positions: Map<number, number>;
};

/** A follower sits alone: it owns every partition and its offsets live as long as it does. */
export const takeFollowerSeat = async (options: FollowerSeatOptions, events: SeatEvents): Promise<Seat> => {
  const { url, topic, patienceMs, positions } = options;
  const session = await openSession({
    url,
    name: `follow ${topic.topic}`,
    patienceMs,
    onNotice: (_channel, payload) => events.wake(Number(payload)),
    onLost: events.lost,
  });
  try {
    await session.query(`listen "${channelOf(topic.topic)}"`);
  } catch (error) {
    await session.end();
    throw error;
  }
  const start = async (partition: number): Promise<number> => {
    const offsets = (await readOffsets(session, topic.topic))[partition] ?? { earliest: 0, end: 0 };
    const { compacted } = topic;
    return checkedStart(positions.get(partition) ?? offsets.earliest, {
      who: 'A follower',
      topic: topic.topic,
      partition,
      ...offsets,
      compacted,
    });
  };
  return {
    survey: async () => ({ rank: 0, members: 1, offsets: await readOffsets(session, topic.topic) }),
    acquire: async () => true,
    release: async () => undefined,
    source: (partition) => ({
      topic: topic.topic,
      compacted: topic.compacted,
      start: () => start(partition),
      read: (from) => readBatch(session, options, partition, from),
      commit: async ({ offset }) => {
        positions.set(partition, offset + 1);
      },
    }),
    leave: () => session.end(),
  };
};

const readBatch = async (
  session: Session,
  { topic: { topic, compacted }, limits }: Pick<SeatOptions, 'topic' | 'limits'>,
  partition: number,
  offset: number,
): Promise<Reading> => {
  const found = await readMessages((select) => session.copy(select), { topic, compacted, partition, offset, ...limits });
  return readingOf(topic, partition, found, limits);
};
