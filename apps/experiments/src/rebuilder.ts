/** Makes everything that follows from the event store anew, from its first event. */
import type { PostgresEventStore } from '@rampart/event-store';
import type { AuditLog } from './audit/audit-log.store.js';
import type { Catalogue } from './catalogue/catalogue.store.js';
import type { DecisionRecords } from './decisions/decision-records.store.js';
import type { DecisionsPublisher } from './publishing/decisions.publisher.js';
import type { DefinitionsPublisher } from './publishing/definitions.publisher.js';

export const REBUILDABLE = ['catalogue', 'definitions', 'decisions', 'decisions.v1', 'audit'] as const;
export type Rebuildable = (typeof REBUILDABLE)[number];

export interface Rebuilt {
  readonly name: Rebuildable;
  readonly events: number;
}

/** `decisions` are the lists, `decisions.v1` is the topic, which gets what it lacks. */
export type RebuiltParts = Readonly<{
  catalogue: Catalogue;
  definitions: DefinitionsPublisher;
  decisions: DecisionRecords;
  'decisions.v1': DecisionsPublisher;
  audit: AuditLog;
}>;

export class Rebuilder {
  constructor(
    private readonly store: PostgresEventStore,
    private readonly parts: RebuiltParts,
  ) {}

  async run(names: readonly Rebuildable[] = REBUILDABLE): Promise<readonly Rebuilt[]> {
    const rebuilt: Rebuilt[] = [];
    for (const name of names) rebuilt.push({ name, events: await this.store.rebuild(this.parts[name].subscriber) });
    return rebuilt;
  }
}
