/** The read model: one row a resource, as lists show it. */
import { EntitySchema } from 'typeorm';
import type { ResourceKind } from '../streams.js';

export interface CatalogueEntry {
  /** Of the resource's stream. */
  readonly stream: string;
  readonly kind: ResourceKind;
  /** null: belongs to the platform. */
  readonly project: string | null;
  readonly document: Readonly<Record<string, unknown>>;
  /** Of a key, else null. */
  readonly keyHash: string | null;
  /** Of a key with an old secret that was given time, else null. */
  readonly previousKeyHash: string | null;
}

export const catalogueEntity = new EntitySchema<CatalogueEntry>({
  name: 'CatalogueEntry',
  tableName: 'catalogue_entry',
  columns: {
    stream: { type: 'text', primary: true },
    kind: { type: 'text' },
    project: { type: 'text', nullable: true },
    document: { type: 'jsonb' },
    keyHash: { name: 'key_hash', type: 'text', nullable: true },
    previousKeyHash: { name: 'previous_key_hash', type: 'text', nullable: true },
  },
});
