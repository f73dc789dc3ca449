import { describe, expect, it } from '@jest/globals';
import type { FeedbackRow } from '@rampart/contracts';
import { messagesOf, traceHeaders } from '@rampart/feedback-rows';
import { Tracing } from '@rampart/service-kit';
import { ForwardedTraces } from './forwarded-traces.js';
import { spooledRow, spooledText } from './spooled-text.js';

const row = (unit: string): FeedbackRow => ({
  ...{ kind: 'exposure', project: 'shop', environment: 'live', name: 'button', unitType: 'user', unit: unit.repeat(32), source: 's' },
  ...{ id: unit, at: 7, variant: 'a', reason: 'SPLIT', digest: '0'.repeat(16), key: 'k' },
});
const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

describe('a row in the spool', () => {
  it('keeps the span that it came with, and is the row without it', () => {
    expect(spooledText(row('1'), undefined)).toBe(JSON.stringify(row('1')));
    expect(spooledRow(spooledText(row('1'), undefined))).toEqual({ row: row('1'), trace: undefined });
    expect(spooledRow(spooledText(row('1'), TRACE))).toEqual({ row: row('1'), trace: TRACE });
  });
});

describe('a forwarding', () => {
  it('names the spans of its traced rows in their messages, and ends them with the append', async () => {
    const ended: unknown[] = [];
    const spans = {
      start: (_name: string, { parent, startUs }: { readonly parent?: string | undefined; readonly startUs?: number }) => ({
        traceparent: `${parent?.slice(0, 36)}${'e'.repeat(16)}-01`,
        end: ({ error }: { readonly error?: unknown } = {}) => ended.push([startUs, error]),
      }),
      close: async () => undefined,
    };
    const contents = [row('1'), row('2'), row('3')].map((one, index) => ({ row: one, trace: index === 1 ? TRACE : undefined }));
    const traces = ForwardedTraces.of(contents, new Tracing(spans));
    const rows = contents.map((one) => one.row);
    const messages = messagesOf(rows, 1, traceHeaders(traces?.traceOf));
    expect(messages.map(({ headers }) => headers)).toEqual([{ traceparent: `00-${'a'.repeat(32)}-${'e'.repeat(16)}-01` }]);
    await traces?.around(async () => undefined);
    await expect(traces?.around(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(ended).toEqual([
      [7, undefined],
      [7, new Error('away')],
    ]);
    expect(ForwardedTraces.of([{ row: row('1'), trace: undefined }], new Tracing(spans))).toBeUndefined();
    expect(messagesOf(rows, 1, traceHeaders(undefined))[0]?.headers).toBeUndefined();
  });
});
