/** A database server as the platform sees it, its own child or somebody else's. */
import type { Supervised } from '../supervisor.js';

export interface Engine {
  readonly name: 'postgres' | 'clickhouse' | 'kafka';
  /** Where clients connect, credentials included; the same over restarts. Known once it was ready. */
  url(): string;
  /** Undefined where the server does not say. */
  readonly version: string | undefined;
}

export interface EmbeddedEngine extends Engine {
  readonly supervised: Supervised;
  port(): number | undefined;
  pid(): number | undefined;
}

export const isEmbedded = (engine: Engine): engine is EmbeddedEngine => 'supervised' in engine;
