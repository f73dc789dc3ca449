/** The read model: one row a record, as lists show it, and where the whole of it is stored. */
import { type DecisionSummary } from '@rampart/contracts';
import { EntitySchema } from 'typeorm';

export interface DecisionEntry {
  readonly id: string;
  /** Of its event in the event store, a safe integer in decimal: newer records have greater ones. */
  readonly position: string;
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  readonly comparison: number;
  /** W, in decimal. */
  readonly knownUntilUs: string;
  readonly summary: DecisionSummary;
}

export const decisionEntity = new EntitySchema<DecisionEntry>({
  name: 'DecisionEntry',
  tableName: 'decision_entry',
  columns: {
    id: { type: 'text', primary: true },
    position: { type: 'bigint' },
    project: { type: 'text' },
    environment: { type: 'text' },
    experiment: { type: 'text' },
    comparison: { type: 'int' },
    knownUntilUs: { name: 'known_until_us', type: 'bigint' },
    summary: { type: 'jsonb' },
  },
});
