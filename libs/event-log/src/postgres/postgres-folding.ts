/** Old ticks of a plain topic become one where nothing lies between them: it keeps the last one's offset and known time, and says for how many it stands. */
import { TICK_HEADER } from '@rampart/contracts';
import type pg from 'pg';

/** Of each partition, in one go. */
const offsetsAtOnce = 100_000;

/**
 * Rows are looked at in the order of their offsets, which are dense, so that neighbours here are neighbours in the log. A row is a tick where it has no
 * value and says for how many it stands. The first row of a partition is left out.
 */
const fold = `
  with old as materialized (
    select m.partition, m."offset", m.generation,
           case when m.value is null and m.headers like '%"${TICK_HEADER}"%' then greatest(1, (m.headers::jsonb ->> '${TICK_HEADER}')::bigint) end as ticks
      from log.partition p join log.message m on m.topic = p.topic and m.partition = p.partition
     where p.topic = $1 and m."offset" >= p.folded_offset and m."offset" < p.folded_offset + ${offsetsAtOnce}
       and m.appended_us < log.now_us() - $2
       and m."offset" > (select min("offset") from log.message f where f.topic = p.topic and f.partition = p.partition)
  ), marked as (
    select *, lag(ticks) over (partition by partition order by "offset") is null or ticks is null
              or lag(generation) over (partition by partition order by "offset") <> generation as begins
      from old
  ), runs as (
    select *, count(*) filter (where begins) over (partition by partition order by "offset") as run from marked
  ), folded as (
    select partition, run, max("offset") as last, sum(ticks) as ticks from runs where ticks is not null group by partition, run having count(*) > 1
  ), told as (
    update log.message m set headers = json_build_object('${TICK_HEADER}', f.ticks::text)::text
      from folded f where m.topic = $1 and m.partition = f.partition and m."offset" = f.last
  ), moved as (
    select partition, max("offset") as offset, count(*)::int as seen from old group by partition
  ), gone as (
    delete from log.message m using runs r join folded f using (partition, run)
     where m.topic = $1 and m.partition = r.partition and m."offset" = r."offset" and r."offset" <> f.last
    returning 1
  )
  select coalesce((select json_agg(moved) from moved), '[]') as moved, (select count(*) from gone)::int as folded`;

/** @returns how many messages are gone */
export const foldTicks = async (client: pg.PoolClient, topic: string, olderThanUs: number): Promise<number> => {
  let total = 0;
  for (let isMore = true; isMore; ) {
    const { folded, hasMore } = await foldSome(client, topic, olderThanUs);
    total += folded;
    isMore = hasMore;
  }
  return total;
};

interface Folded {
  readonly moved: readonly { readonly partition: number; readonly offset: number; readonly seen: number }[];
  readonly folded: number;
}

const foldSome = async (client: pg.PoolClient, topic: string, olderThanUs: number): Promise<{ folded: number; hasMore: boolean }> => {
  await client.query('begin');
  try {
    // One at a time: two would count the same ticks twice.
    const lock = "select pg_try_advisory_xact_lock(hashtextextended('rampart fold ' || $1, 0)) as mine";
    const { rows: locked } = await client.query<{ mine: boolean }>(lock, [topic]);
    const { rows } = locked[0]?.mine === true ? await client.query<Folded>(fold, [topic, olderThanUs]) : { rows: [] };
    const { moved = [], folded = 0 } = rows[0] ?? {};
    // The last tick is looked at again: those that come after it are folded into it.
    for (const { partition, offset } of moved)
      await client.query('update log.partition set folded_offset = $3 where topic = $1 and partition = $2', [topic, partition, offset]);
    await client.query('commit');
    // A partition that was read to the end of a stretch, however much of it was ticks, has more behind it.
    return { folded, hasMore: moved.some(({ seen }) => seen > offsetsAtOnce / 2) };
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
};
