/** The newest definitions on this machine's disk: a restart with everything else down answers from them. */
import type { Database, RootDatabase } from 'lmdb';
import { refusalOf } from '../exposures/disk-refusal.js';
import type { PublishedDefinition } from './published-definition.js';

/** How far the log had been read, and whether to its end: half of the definitions would be wrong answers. */
export interface KeptMark {
  readonly lastKnownAtUs: number;
  readonly isComplete: boolean;
}

const MARK = 'mark';

export class KeptDefinitions {
  private readonly definitions: Database<PublishedDefinition, string>;
  private readonly marks: Database<KeptMark, string>;

  constructor(environment: RootDatabase) {
    this.definitions = environment.openDB<PublishedDefinition, string>({ name: 'definitions', encoding: 'json' });
    this.marks = environment.openDB<KeptMark, string>({ name: 'marks', encoding: 'json' });
  }

  /** @returns undefined when nothing complete is kept */
  read(): { readonly definitions: readonly PublishedDefinition[]; readonly mark: KeptMark } | undefined {
    const mark = this.marks.get(MARK);
    if (mark?.isComplete !== true) return undefined;
    return { definitions: [...this.definitions.getRange()].map(({ value }) => value), mark };
  }

  /** All or nothing. @param changed  by slot; null: there is none any more. @throws what the disk said */
  async keep(changed: ReadonlyMap<string, PublishedDefinition | null>, mark: KeptMark): Promise<void> {
    try {
      await this.marks.transaction(() => {
        for (const [slot, definition] of changed)
          void (definition === null ? this.definitions.remove(slot) : this.definitions.put(slot, definition));
        void this.marks.put(MARK, mark);
      });
    } catch (error) {
      throw await refusalOf(error);
    }
  }
}
