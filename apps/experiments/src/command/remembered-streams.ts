/** What streams had come to when they were last read. Nothing is lost when it is forgotten: it is folded again. */

export interface KnownStream<State> {
  readonly revision: number;
  readonly state: State;
}

export class RememberedStreams<State> {
  /** In order of use. */
  private readonly streams = new Map<string, KnownStream<State>>();

  /** @param most  streams; the one not used for longest is forgotten first */
  constructor(private readonly most = 1_000) {}

  known(stream: string): KnownStream<State> | undefined {
    return this.streams.get(stream);
  }

  remember(stream: string, known: KnownStream<State>): void {
    this.streams.delete(stream);
    this.streams.set(stream, known);
    const [oldest] = this.streams.keys();
    if (this.streams.size > this.most && oldest !== undefined) this.streams.delete(oldest);
  }

  forget(stream: string): void {
    this.streams.delete(stream);
  }
}
