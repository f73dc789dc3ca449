import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../platform/api-client.js';
import { EventSender } from './batches.js';

type Respond = (events: readonly { n: number }[]) => Answer;

const accepted: Respond = (events) => ({ status: 202, body: { accepted: events.length, rejected: 0, items: [] } });

/** A platform that answers as told, and remembers the sizes of batches and how many were on their way at once. */
const platform = (respond: Respond) => {
  const seen = { sizes: [] as number[], most: 0 };
  let open = 0;
  const call = async (_method: string, _path: string, body?: unknown): Promise<Answer> => {
    seen.most = Math.max(seen.most, ++open);
    const events = JSON.parse(String(body));
    seen.sizes.push(events.length);
    await new Promise((done) => setImmediate(done));
    open--;
    return respond(events);
  };
  return { seen, client: { address: 'http://there', call } };
};
const sender = (client: ReturnType<typeof platform>['client'], mostRejected = 10) =>
  new EventSender(client, { key: 'k', keyIsNewUntilMs: 0, signal: new AbortController().signal, mostRejected });

const send = async (to: EventSender, count: number, padding = '') => {
  for (let n = 0; n < count; n++) if (to.add(JSON.stringify({ n, padding }), { line: n + 2, column: 'bought' })) await to.flush();
  await to.drained();
};

describe('events in batches', () => {
  it('have a fingerprint: that of the same events in any order, and of no others', async () => {
    const printOf = (...numbers: readonly number[]) => {
      const events = sender(platform(accepted).client);
      for (const n of numbers) events.add(JSON.stringify({ n }), { line: n, column: 'bought' });
      return events.fingerprint;
    };
    expect(printOf(3, 1, 2)).toBe(printOf(1, 2, 3));
    expect(new Set([printOf(), printOf(1, 2), printOf(1, 2, 3), printOf(1, 2, 4), printOf(1, 2, 2)]).size).toBe(5);
    expect(printOf(1)).toMatch(/^[0-9a-f]{16}$/);
  });

  it('all arrive, a few batches at once, none beyond a thousand events', async () => {
    const { client, seen } = platform(accepted);
    const events = sender(client);
    await send(events, 12_345);
    expect(events.accepted).toBe(12_345);
    expect(Math.max(...seen.sizes)).toBe(1_000);
    expect(seen.most).toBeGreaterThan(1);
    expect(seen.most).toBeLessThanOrEqual(6);
  });

  it('stay below a megabyte, and are halved where the platform finds them too large', async () => {
    const { client, seen } = platform((events) => (events.length > 50 ? { status: 413, body: {} } : accepted(events)));
    const events = sender(client);
    await send(events, 200, '€'.repeat(3_000));
    expect(events.accepted).toBe(200);
    expect(Math.max(...seen.sizes) * 3_000 * 3).toBeLessThan(1_048_576 * 1.05);
  });

  it('tell what was rejected, with line and column', async () => {
    const { client } = platform((events) => ({
      status: 202,
      body: {
        accepted: events.length - 1,
        rejected: 1,
        items: events.map(({ n }) => (n === 1 ? { status: 'rejected', code: 'too-long', message: 'too long' } : { status: 'accepted' })),
      },
    }));
    const events = sender(client);
    await send(events, 3);
    expect(events.rejections).toEqual([{ line: 3, column: 'bought', code: 'too-long', message: 'too long' }]);
    expect([events.accepted, events.rejected]).toEqual([2, 1]);
  });

  it('stop when too many are rejected, or the platform refuses the batch', async () => {
    const rejecting = platform((events) => ({ status: 202, body: { accepted: 0, rejected: events.length, items: [] } }));
    await expect(send(sender(rejecting.client), 20)).rejects.toThrow('20 events were rejected, more than the 10 allowed');
    const refusing = platform(() => ({ status: 403, body: { code: 'wrong-role', detail: 'not this key' } }));
    await expect(send(sender(refusing.client), 5_000)).rejects.toThrow(
      '(from line 2) at http://there was refused (403 wrong-role): not this key.',
    );
  });
});
