/** A database server as the platform sees it, its own child or somebody else's. */
import type { Supervised } from '../supervisor.js';

export interface Engine {
  readonly name: 'postgres' | 'clickhouse';
  /** Where clients connect, credentials included; the same over restarts. Known once it was ready. */
  url(): string;
  readonly version: string;
}

export interface EmbeddedEngine extends Engine {
  readonly supervised: Supervised;
  port(): number | undefined;
  pid(): number | undefined;
}

export const isEmbedded = (engine: Engine): engine is EmbeddedEngine => 'supervised' in engine;
