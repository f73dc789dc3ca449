/** Takes a unit out of what the control plane keeps: history, catalogue, audit log, webhooks' messages, published definitions. Safe to repeat. */
import { DEFINITIONS, definitionKnownAtUs, FIRST_KNOWN_HEADER } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { explained } from '@rampart/event-store';
import type { DataSource, EntityManager } from 'typeorm';
import { formsOf, type NamedUnit, sentenceWithout, withoutUnit } from './without-unit.js';

export interface ErasedUnit extends NamedUnit {
  readonly project: string;
}

interface Found {
  readonly id: string;
  readonly document: unknown;
  readonly reason: string | null;
}

/** Whether a text names the unit in one of its forms, `$2`. */
const names = (text: string): string => `exists (select from unnest($2::text[]) form where strpos(${text}, form) > 0)`;

/** The streams of a project's keys, which do not name it themselves. */
const KEYS = `select stream from control.event where stream like 'key/%' and data->>'project' = $1`;

/**
 * Records of decisions are left alone: they hold sums, and a changed one would look altered.
 * @returns how many events, documents, lines and messages named it
 */
export const eraseTexts = async (dataSource: DataSource, log: EventLog, unit: ErasedUnit): Promise<number> => {
  try {
    const events = await dataSource.transaction((manager) => eraseHistory(manager, unit));
    const views = await dataSource.transaction(async (manager) => {
      // Whoever fills them holds its checkpoint from before it reads history until it has written: what it read of before is there now.
      await manager.query('select from control.checkpoint order by name for share');
      return eraseViews(manager, unit);
    });
    return events + views + (await erasePublished(log, unit));
  } catch (error) {
    throw explained(error);
  }
};

const eraseHistory = (manager: EntityManager, unit: ErasedUnit): Promise<number> =>
  changeEach(manager, unit, {
    find: `select position::text as id, data as document, reason from control.event
      where (split_part(stream, '/', 2) = $1 or stream in (${KEYS})) and stream not like 'decision/%'
        and (${names('data::text')} or ${names('reason')})`,
    write: 'update control.event set data = $2::jsonb, reason = $3 where position = $1::bigint',
  });

const eraseViews = async (manager: EntityManager, unit: ErasedUnit): Promise<number> => {
  const documents = await changeEach(manager, unit, {
    find: `select stream as id, document, null as reason from control.catalogue_entry
      where (project = $1 or stream = 'project/' || $1) and ${names('document::text')}`,
    write: 'update control.catalogue_entry set document = $2::jsonb where stream = $1 and $3::text is null',
  });
  const lines = await changeEach(manager, unit, {
    find: `select position::text as id, entry - 'reason' as document, entry->>'reason' as reason from control.audit_entry
      where (project = $1 or project is null) and ${names('entry::text')}`,
    write: `update control.audit_entry set entry = $2::jsonb || jsonb_build_object('reason', $3::text) where position = $1::bigint`,
  });
  // Signed when they are sent. As json: a body keeps the order of its members.
  const messages = await changeEach(manager, unit, {
    find: `select jsonb_build_array(webhook, id)::text as id, body::json as document, last_answer as reason from control.webhook_delivery
      where split_part(webhook, '/', 2) = $1 and (${names('body')} or ${names('last_answer')})`,
    write: 'update control.webhook_delivery set body = $2, last_answer = $3 where webhook = $1::jsonb->>0 and id = $1::jsonb->>1',
  });
  return documents + lines + messages;
};

const changeEach = async (manager: EntityManager, unit: ErasedUnit, { find, write }: { readonly find: string; readonly write: string }) => {
  let changed = 0;
  for (const { id, document, reason } of await manager.query<Found[]>(find, [unit.project, formsOf(unit)])) {
    const [after, sentence] = [withoutUnit(document, unit), reason === null ? null : sentenceWithout(reason, unit)];
    if (after === document && sentence === reason) continue;
    await manager.query(write, [id, JSON.stringify(after), sentence]);
    changed += 1;
  }
  return changed;
};

/** Under the same keys, and as known when it was: whoever follows the topic forgets what was there, and a revision that others followed stays before them. */
const erasePublished = async (log: EventLog, unit: ErasedUnit): Promise<number> => {
  const forms = formsOf(unit);
  const news: { partition: number; key: string; value: string; headers: Readonly<Record<string, string>> }[] = [];
  for await (const { key, value, partition, headers, knownAtUs } of log.readAll(DEFINITIONS)) {
    if (key === null || value === null || !isOf(unit.project, key)) continue;
    const text = Buffer.from(value).toString('utf8');
    if (!forms.some((form) => text.includes(form))) continue;
    const before: unknown = JSON.parse(text);
    const after = withoutUnit(before, unit);
    const first = { [FIRST_KNOWN_HEADER]: String(definitionKnownAtUs({ headers, knownAtUs })) };
    if (after !== before) news.push({ partition, key, value: JSON.stringify(after), headers: first });
  }
  if (news.length > 0) await log.append(DEFINITIONS, news);
  return news.length;
};

/** A project itself is everywhere. */
const isOf = (project: string, key: string): boolean => {
  const [, owner, kind, id] = key.split('/');
  return owner === project || (kind === 'project' && id === project);
};
