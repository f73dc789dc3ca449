import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DecisionRecord } from '@rampart/contracts';
import fc from 'fast-check';
import { recordIdOf } from '../command/record-id.js';
import { proposedRecord, UnreadableProposal } from './record-proposal.js';

const golden = join(import.meta.dirname, '..', '..', '..', '..', 'libs', 'event-store', 'golden', 'DecisionRecorded.v1.json');
const stored = JSON.parse(readFileSync(golden, 'utf8')).data.record as DecisionRecord;
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('a proposal', () => {
  it('that was recorded once can be recorded for ever, under the same id', () => {
    expect(proposedRecord(bytes({ record: stored }))).toEqual(stored);
    expect(recordIdOf(stored)).toBe(stored.id);
  });

  it('is kept as it came: nothing is filled in, and what a newer program says beside it stays', () => {
    const { definition } = stored;
    const { hypothesis: _, ...experiment } = definition.experiment;
    const said = { ...stored, definition: { ...definition, experiment }, mood: 'calm', verdict: { ...stored.verdict, weight: 1 } };
    expect(proposedRecord(bytes({ record: said, sentBy: 'a newer one' }))).toEqual(said);
  });

  it('has another id when anything about the look is another, and the same when only its words are', () => {
    const { definition } = stored;
    const [metric] = definition.metrics;
    if (metric === undefined) throw new Error('the golden record has a metric');
    const others: readonly Partial<DecisionRecord>[] = [
      { project: 'other' },
      { environment: 'other' },
      { experiment: 'other' },
      { comparison: 2 },
      { stage: 'ten' },
      { policy: 'stage' },
      { knownUntilUs: stored.knownUntilUs + 1 },
      { definition: { ...definition, experiment: { ...definition.experiment, control: 'green' } } },
      { definition: { ...definition, metrics: [{ ...metric, definition: { ...metric.definition, windowUs: 1 } }] } },
      { definition: { ...definition, state: { ...definition.state, closedAtUs: 1 } } },
    ];
    const ids = others.map((change) => recordIdOf({ ...stored, ...change }));
    expect(new Set([...ids, stored.id]).size).toBe(others.length + 1);
    const renamed = { ...definition, experiment: { ...definition.experiment, name: 'N', hypothesis: 'H' } };
    expect(recordIdOf({ ...stored, definition: renamed, cause: 'daily', latched: [] })).toBe(stored.id);
  });

  it('that lacks any field, or has anything else in its place, is none', () => {
    for (const field of Object.keys(stored)) {
      for (const wrong of [undefined, '', -1.5, [null], { a: 1 }, true])
        expect(() => proposedRecord(bytes({ record: { ...stored, [field]: wrong } }))).toThrow(UnreadableProposal);
    }
  });

  it('is read or refused with a reason, whatever the bytes are', () => {
    const attempt = (value: Uint8Array) => {
      try {
        proposedRecord(value);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableProposal);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt), { numRuns: 100 });
    fc.assert(
      fc.property(fc.json(), (text) => attempt(Buffer.from(text))),
      { numRuns: 100 },
    );
    const fields = fc.constantFrom(...Object.keys(stored));
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => attempt(bytes({ record: { ...stored, [field]: value } }))),
      { numRuns: 200 },
    );
  });
});
