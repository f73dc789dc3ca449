import { describe, expect, it } from '@jest/globals';
import type { FeedbackRow } from '@rampart/contracts';
import type { LogMessage } from '@rampart/event-log';
import { Tracing } from '@rampart/service-kit';
import { RawTraces } from './raw-traces.js';

const CLIENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const message = (offset: number, headers: Record<string, string> = {}): LogMessage => ({
  ...{ offset, position: BigInt(offset), knownAtUs: 1, appendedAtUs: 1, key: null, value: null, headers },
});
const row = (id: string) => ({ id }) as FeedbackRow;

/** Spans as they end: what they continue, and their error. */
const traced = () => {
  const ended: (readonly [string | undefined, unknown])[] = [];
  const tracing = new Tracing({
    start: (_name, { parent }) => ({ traceparent: `of ${parent}`, end: ({ error } = {}) => ended.push([parent, error]) }),
    close: async () => undefined,
  });
  return { ended, traces: new RawTraces(tracing) };
};

describe('the traces of a raw batch', () => {
  it('go on with the rows of the messages that name them, one span for each', async () => {
    const { ended, traces } = traced();
    const batch = message(1, { traceparent: CLIENT });
    const rows = [row('1'), row('2'), row('3')];
    traces.came(batch, rows.slice(0, 1));
    traces.came(batch, rows.slice(1, 2));
    traces.came(message(2), rows.slice(2));
    await traces.around(async (traceOf) => {
      expect(rows.map(traceOf)).toEqual([`of ${CLIENT}`, `of ${CLIENT}`, undefined]);
    });
    expect(ended).toEqual([[CLIENT, undefined]]);
  });

  it('end with the error of the append, and are at most 64', async () => {
    const { ended, traces } = traced();
    for (let offset = 0; offset < 100; offset += 1) traces.came(message(offset, { traceparent: CLIENT }), [row(String(offset))]);
    const away = new Error('away');
    await expect(traces.around(() => Promise.reject(away))).rejects.toBe(away);
    expect(ended).toEqual(Array.from({ length: 64 }, () => [CLIENT, away]));
  });
});
