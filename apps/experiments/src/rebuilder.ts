/** Makes everything that follows from the event store anew, from its first event. */
import type { PostgresEventStore } from '@rampart/event-store';
import type { Catalogue } from './catalogue/catalogue.store.js';
import type { DefinitionsPublisher } from './publishing/definitions.publisher.js';

export const REBUILDABLE = ['catalogue', 'definitions'] as const;
export type Rebuildable = (typeof REBUILDABLE)[number];

export interface Rebuilt {
  readonly name: Rebuildable;
  readonly events: number;
}

export class Rebuilder {
  constructor(
    private readonly store: PostgresEventStore,
    private readonly catalogue: Catalogue,
    private readonly publisher: DefinitionsPublisher,
  ) {}

  async run(names: readonly Rebuildable[] = REBUILDABLE): Promise<readonly Rebuilt[]> {
    const subscribers = { catalogue: this.catalogue.subscriber, definitions: this.publisher.subscriber };
    const rebuilt: Rebuilt[] = [];
    for (const name of names) rebuilt.push({ name, events: await this.store.rebuild(subscribers[name]) });
    return rebuilt;
  }
}
