/** The newest definitions on this machine's disk: a restart with everything else down answers from them. */
import { type TextSeal, textSeal } from '@rampart/contracts/pseudonyms';
import type { Database, RootDatabase } from 'lmdb';
import type { DiskRoom } from '../exposures/disk-room.js';
import type { PublishedDefinition } from './published-definition.js';

/** How far the log had been read, and whether to its end: half of the definitions would be wrong answers. */
export interface KeptMark {
  readonly lastKnownAtUs: number;
  readonly isComplete: boolean;
}

const MARK = 'mark';

/** Definitions name people (overrides), and pages that the disk's database has freed keep what they had: nothing of it is in clear. */
const PURPOSE = 'rampart/kept-definitions';

export class KeptDefinitions {
  private readonly sealed: Database<string, string>;
  /** Of a version that did not seal them: taken over with the next change. */
  private readonly clear: Database<PublishedDefinition, string>;
  private readonly marks: Database<KeptMark, string>;
  private readonly seal: TextSeal;

  constructor(
    environment: RootDatabase,
    platformSecret: string,
    private readonly room: DiskRoom,
  ) {
    this.sealed = environment.openDB<string, string>({ name: 'sealed-definitions', encoding: 'string' });
    this.clear = environment.openDB<PublishedDefinition, string>({ name: 'definitions', encoding: 'json' });
    this.marks = environment.openDB<KeptMark, string>({ name: 'marks', encoding: 'json' });
    this.seal = textSeal(platformSecret, PURPOSE);
  }

  /** @returns undefined when nothing complete is kept, or not under this secret */
  read(): { readonly definitions: readonly PublishedDefinition[]; readonly mark: KeptMark } | undefined {
    const mark = this.marks.get(MARK);
    if (mark?.isComplete !== true) return undefined;
    const before = [...this.clear.getRange()].map(({ value }) => value);
    try {
      const definitions = [...this.sealed.getRange()].map(({ value }) => JSON.parse(this.seal.opened(value)) as PublishedDefinition);
      return { definitions: [...before, ...definitions], mark };
    } catch {
      return undefined;
    }
  }

  /** All or nothing. @param changed  by slot; null: there is none any more. @throws what the disk said */
  async keep(changed: ReadonlyMap<string, PublishedDefinition | null>, mark: KeptMark): Promise<void> {
    const before = [...this.clear.getRange()];
    const sealed = [...before.map(({ key, value }) => [key, value] as const), ...changed].map(
      ([slot, definition]) => [slot, definition === null ? null : this.seal.sealed(JSON.stringify(definition))] as const,
    );
    const bytes = sealed.reduce((sum, [, text]) => sum + (text?.length ?? 0), 0);
    await this.room.write(bytes, () =>
      this.marks.transaction(() => {
        for (const { key } of before) void this.clear.remove(key);
        for (const [slot, text] of sealed) void (text === null ? this.sealed.remove(slot) : this.sealed.put(slot, text));
        void this.marks.put(MARK, mark);
      }),
    );
  }
}
