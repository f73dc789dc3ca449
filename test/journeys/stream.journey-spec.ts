import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type Platform, startPlatform } from './platform.js';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  platform?.remove();
}, 60_000);

const watch = async () => {
  const options = { headers: { authorization: `Bearer ${platform.adminKey}` } };
  const answer = await new Promise<IncomingMessage>((answered, failed) => {
    get(`${platform.address}/v1/stream?project=default`, { ...options, agent: false }, answered).on('error', failed);
  });
  let text = '';
  answer.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  answer.on('error', () => undefined);
  return { status: answer.statusCode, text: () => text, leave: () => answer.destroy() };
};

describe('the live stream through the front door', () => {
  it('comes as it happens, stays open, and keeps nobody else waiting however many watch', async () => {
    // More than the front door has connections to a service for everything else.
    const watching = await Promise.all(Array.from({ length: 300 }, watch));
    expect(new Set(watching.map(({ status }) => status))).toEqual(new Set([200]));
    const begun = performance.now();
    const feature = {
      key: 'colour',
      name: 'Colour',
      valueType: 'string',
      variants: [{ key: 'blue', value: 'blue' }],
      defaultVariant: 'blue',
    };
    expect((await platform.call('POST', '/v1/features?project=default', feature)).status).toBe(201);
    await eventually('everybody is told', async () => (watching.every(({ text }) => text().includes('event: changed')) ? true : undefined));
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(watching[0]?.text()).toContain('data: {"kind":"changed","resource":"feature","key":"colour","revision":1}');
    // Longer than any time-out that a stream must not meet.
    await eventually('a ping', async () => (watching[0]?.text().includes(': ping') === true ? true : undefined), 20_000);
    for (const one of watching) one.leave();
  }, 90_000);
});
