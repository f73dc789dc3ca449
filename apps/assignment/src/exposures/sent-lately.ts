/** What this process has told lately: a repeat is neither written nor sent again, but waits for the first to be durable. */

const DURABLE = true;

export class SentLately {
  private young = new Map<string, Promise<void> | typeof DURABLE>();
  private old = new Map<string, Promise<void> | typeof DURABLE>();

  /** @param most  at most so many are remembered */
  constructor(private readonly most: number) {}

  /** @returns undefined: not told lately; true: durable; a promise: being written */
  find(identity: string): Promise<void> | true | undefined {
    const found = this.young.get(identity);
    if (found !== undefined) return found;
    const older = this.old.get(identity);
    // What is asked for again stays: two generations are a least-recently-used memory at the price of two maps.
    if (older !== undefined) this.set(identity, older);
    return older;
  }

  /** Until it is durable it is remembered as under way; when it could not be kept, not at all. */
  remember(identities: readonly string[], writing: Promise<void>): void {
    for (const identity of identities) this.set(identity, writing);
    writing.then(
      () => {
        for (const identity of identities) if (this.has(identity, writing)) this.set(identity, DURABLE);
      },
      () => {
        for (const identity of identities) {
          if (this.young.get(identity) === writing) this.young.delete(identity);
          if (this.old.get(identity) === writing) this.old.delete(identity);
        }
      },
    );
  }

  forget(isMeant: (identity: string) => boolean): void {
    for (const generation of [this.young, this.old])
      for (const identity of generation.keys()) if (isMeant(identity)) generation.delete(identity);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  private has(identity: string, writing: Promise<void>): boolean {
    return this.young.get(identity) === writing || this.old.get(identity) === writing;
  }

  private set(identity: string, state: Promise<void> | typeof DURABLE): void {
    if (this.young.size >= this.most / 2 && !this.young.has(identity)) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(identity, state);
  }
}
