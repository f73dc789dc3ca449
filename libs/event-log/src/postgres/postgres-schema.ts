/** The log's tables and its one function, in the schema `log`. */
import type { Client } from 'pg';

const version = 'Rampart log, schema 3';

/**
 * The row of a partition is its lock: whoever updates it gives out the next offsets, so offset order = commit order and no reader skips one.
 * It is updated in place (fillfactor); messages are stored as they come, uncompressed.
 */
const tables = `
create table if not exists log.topic (
  topic text primary key, partitions int not null, compacted boolean not null, generation int not null default 0
);
create table if not exists log.partition (
  topic text not null references log.topic, partition int not null, next_offset bigint not null default 0,
  last_known_us bigint not null default 0, generation int not null default 0, primary key (topic, partition)
) with (fillfactor = 20);
-- Up to there ticks have been folded.
alter table log.partition add column if not exists folded_offset bigint not null default 0;
create table if not exists log.message (
  topic text not null, partition int not null, "offset" bigint not null, generation int not null,
  known_us bigint not null, appended_us bigint not null, key text, headers text, value bytea,
  primary key (topic, partition, "offset")
);
alter table log.message alter value set storage external;
create table if not exists log.compacted (
  topic text not null, partition int not null, "offset" bigint not null, generation int not null,
  known_us bigint not null, appended_us bigint not null, key text not null, headers text, value bytea,
  primary key (topic, partition, key), unique (topic, partition, "offset")
);
alter table log.compacted alter value set storage external;
create table if not exists log.group_offset (
  group_name text not null, topic text not null, partition int not null, next_offset bigint not null,
  committed_us bigint not null, primary key (group_name, topic, partition)
) with (fillfactor = 20);
`;

const clock = `
create or replace function log.now_us() returns bigint language sql volatile as
$$ select (extract(epoch from clock_timestamp()) * 1000000)::bigint $$;
`;

/**
 * Appends messages of several partitions: (topics[i], parts[i]) are distinct, sorted (so that concurrent calls can't deadlock) and get counts[i] messages;
 * message m belongs to partition group_of[m] as its nth[m]. One row per partition comes back, in order.
 * unnest in the select list: in FROM it would go through a tuple store.
 */
const append = `
create or replace function log.append(
  is_compacted boolean, topics text[], parts int[], counts int[], group_of int[], nth int[], keys text[], headers text[], vals bytea[]
) returns table (base bigint, known bigint) language plpgsql as $$
declare
  now_us bigint := log.now_us();
  newest_us bigint;
  known_from_us bigint := now_us;
  bases bigint[] := '{}';
  knowns bigint[] := '{}';
  generations int[] := '{}';
  gen int;
begin
  -- A clock that fell back: until it has caught up, every partition goes on from the newest known time of all, or the slowest would hold the others back.
  select max(last_known_us) into newest_us from log.partition;
  if newest_us > now_us + 1000000 then known_from_us := newest_us; end if;
  for i in 1 .. cardinality(topics) loop
    update log.partition p
       set next_offset = p.next_offset + counts[i], last_known_us = greatest(p.last_known_us + 1, known_from_us) + counts[i] - 1
     where p.topic = topics[i] and p.partition = parts[i]
    returning p.next_offset - counts[i], p.last_known_us - counts[i] + 1, p.generation into base, known, gen;
    if not found then
      raise exception 'the log has no partition %/%', topics[i], parts[i];
    end if;
    bases := bases || base; knowns := knowns || known; generations := generations || gen;
    perform pg_notify('rampart log ' || topics[i], parts[i]::text);
    return next;
  end loop;
  if is_compacted then
    insert into log.compacted as c (topic, partition, "offset", generation, known_us, appended_us, key, headers, value)
    select distinct on (topics[g], parts[g], k)
           topics[g], parts[g], bases[g] + n, generations[g], knowns[g] + n, now_us, k, h, v
      from (select unnest(group_of) g, unnest(nth) n, unnest(keys) k, unnest(append.headers) h, unnest(vals) v) m
     order by topics[g], parts[g], k, n desc
    on conflict (topic, partition, key) do update
       set "offset" = excluded."offset", generation = excluded.generation, known_us = excluded.known_us,
           appended_us = excluded.appended_us, headers = excluded.headers, value = excluded.value;
  else
    insert into log.message (topic, partition, "offset", generation, known_us, appended_us, key, headers, value)
    select topics[g], parts[g], bases[g] + n, generations[g], knowns[g] + n, now_us, k, h, v
      from (select unnest(group_of) g, unnest(nth) n, unnest(keys) k, unnest(append.headers) h, unnest(vals) v) m;
  end if;
end $$;
`;

export const channelOf = (topic: string): string => `rampart log ${topic}`;

/** Creates what is missing; safe when several processes start at once. */
export const ensureSchema = async (client: Pick<Client, 'query'>): Promise<void> => {
  const { rows } = await client.query("select obj_description(oid) as version from pg_namespace where nspname = 'log'");
  if (rows[0]?.version === version) return;
  await client.query('begin');
  try {
    // Lock first: two concurrent "create … if not exists" can both find nothing and one would fail.
    await client.query("select pg_advisory_xact_lock(hashtextextended('rampart log schema', 0))");
    await client.query(`create schema if not exists log; ${tables} ${clock} ${append} comment on schema log is '${version}'`);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
};
