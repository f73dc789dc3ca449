/** What a diagnosis is made of: facts as they were found, each with the moment when it was asked for. */
import type { Freshness } from '@rampart/contracts';
import { z } from 'zod';

const disk = { freeBytes: z.number(), totalBytes: z.number() };
const failed = z.object({ name: z.string(), error: z.string() });
const answered = z.object({
  name: z.string(),
  error: z.null(),
  version: z.string().nullable(),
  nowUs: z.number().nullable(),
  askedAtUs: z.number(),
  answeredAtUs: z.number(),
  disks: z.array(z.object({ path: z.string(), ...disk })),
});
const folder = z.object({ what: z.string(), path: z.string(), error: z.null(), isWritable: z.boolean(), ...disk });
const lostFolder = z.object({ what: z.string(), path: z.string(), error: z.string() });

/** `GET /diagnostics` of a service. */
export const diagnosis = z.object({
  service: z.string(),
  version: z.string(),
  node: z.string(),
  host: z.string(),
  pid: z.number(),
  uptimeSeconds: z.number(),
  nowUs: z.number(),
  engines: z.array(z.union([answered, failed])),
  folders: z.array(z.union([folder, lostFolder])),
  reasons: z.record(z.string(), z.string()),
  notes: z.record(z.string(), z.string()),
});
type Diagnosis = z.infer<typeof diagnosis>;

export type AskedService =
  | { readonly name: string; readonly error: string }
  | {
      readonly name: string;
      readonly error: null;
      readonly askedAtUs: number;
      readonly answeredAtUs: number;
      readonly diagnosis: Diagnosis;
    };

export interface FolderFact {
  readonly what: string;
  readonly path: string;
  readonly error: string | null;
  readonly isWritable?: boolean;
  readonly freeBytes?: number;
  readonly totalBytes?: number;
}

/** Of a platform that runs from a data folder of this machine. */
export interface LocalFacts {
  readonly folder: FolderFact;
  /** Named in run.json; those without a living process are down at the moment. */
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number | null;
    readonly isAlive: boolean;
    readonly port: number | null;
    /** Whether somebody takes connections at its port; false too where it has none yet. */
    readonly isListening: boolean;
  }[];
}

export interface Facts {
  readonly address: string;
  /** By the clock of this machine. */
  readonly nowUs: number;
  /** Undefined: a platform elsewhere. */
  readonly local: LocalFacts | undefined;
  readonly services: readonly AskedService[];
  readonly freshness: Freshness | { readonly error: string };
}

export interface Limits {
  readonly minFreeBytes: number;
  /** Of a disk. */
  readonly minFreeShare: number;
  readonly mostSkewUs: number;
  readonly mostAgeMs: number;
  readonly mostLag: number;
}

export const DEFAULT_LIMITS: Limits = {
  minFreeBytes: 2 * 2 ** 30,
  minFreeShare: 0.05,
  mostSkewUs: 1_000_000,
  mostAgeMs: 15_000,
  mostLag: 1_000,
};
