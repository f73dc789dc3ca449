/** Takes a unit out of what the control plane keeps: history, catalogue, audit log, published definitions. Safe to repeat. */
import { DEFINITIONS } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { explained } from '@rampart/event-store';
import type { DataSource, EntityManager } from 'typeorm';
import { type NamedUnit, sentenceWithout, withoutUnit } from './without-unit.js';

export interface ErasedUnit extends NamedUnit {
  readonly project: string;
}

interface Found {
  readonly id: string;
  readonly document: unknown;
  readonly reason: string | null;
}

/** `$2` as JSON writes it inside of a text. */
const PATTERN = `btrim(to_jsonb($2::text)::text, '"')`;

/** The streams of a project's keys, which do not name it themselves. */
const KEYS = `select stream from control.event where stream like 'key/%' and data->>'project' = $1`;

/**
 * Records of decisions are left alone: they hold sums, and a changed one would look altered.
 * @returns how many events, documents and lines named it
 */
export const eraseTexts = async (dataSource: DataSource, log: EventLog, unit: ErasedUnit): Promise<number> => {
  try {
    const changed = await dataSource.transaction(async (manager) => {
      const events = await changeEach(manager, unit, {
        find: `select position::text as id, data as document, reason from control.event
          where (split_part(stream, '/', 2) = $1 or stream in (${KEYS})) and stream not like 'decision/%' and (strpos(data::text, ${PATTERN}) > 0 or strpos(reason, $2) > 0)`,
        write: 'update control.event set data = $2::jsonb, reason = $3 where position = $1::bigint',
      });
      const documents = await changeEach(manager, unit, {
        find: `select stream as id, document, null as reason from control.catalogue_entry where project = $1 and strpos(document::text, ${PATTERN}) > 0`,
        write: 'update control.catalogue_entry set document = $2::jsonb where stream = $1 and $3::text is null',
      });
      const lines = await changeEach(manager, unit, {
        find: `select position::text as id, entry - 'reason' as document, entry->>'reason' as reason from control.audit_entry
          where (project = $1 or project is null) and strpos(entry::text, ${PATTERN}) > 0`,
        write: `update control.audit_entry set entry = $2::jsonb || jsonb_build_object('reason', $3::text) where position = $1::bigint`,
      });
      return events + documents + lines;
    });
    return changed + (await erasePublished(log, unit));
  } catch (error) {
    throw explained(error);
  }
};

const changeEach = async (manager: EntityManager, unit: ErasedUnit, { find, write }: { readonly find: string; readonly write: string }) => {
  let changed = 0;
  for (const { id, document, reason } of await manager.query<Found[]>(find, [unit.project, unit.unitId])) {
    const [after, sentence] = [withoutUnit(document, unit), reason === null ? null : sentenceWithout(reason, unit)];
    if (after === document && sentence === reason) continue;
    await manager.query(write, [id, JSON.stringify(after), sentence]);
    changed += 1;
  }
  return changed;
};

/** Under the same keys: whoever follows the topic forgets what was there. */
const erasePublished = async (log: EventLog, unit: ErasedUnit): Promise<number> => {
  const news: { partition: number; key: string; value: string }[] = [];
  for await (const { key, value, partition } of log.readAll(DEFINITIONS)) {
    if (key === null || value === null || key.split('/')[1] !== unit.project) continue;
    const text = Buffer.from(value).toString('utf8');
    if (!text.includes(JSON.stringify(unit.unitId))) continue;
    const before: unknown = JSON.parse(text);
    const after = withoutUnit(before, unit);
    if (after !== before) news.push({ partition, key, value: JSON.stringify(after) });
  }
  if (news.length > 0) await log.append(DEFINITIONS, news);
  return news.length;
};
