import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Attacked, attackedDeployment } from '../chaos/attacked.js';
import { shortFaults, shortPace } from '../chaos/faults.js';
import { chaos, table } from '../chaos/run.js';

let attacked: Attacked;

beforeAll(async () => {
  attacked = await attackedDeployment();
}, 240_000);

afterAll(async () => {
  await attacked?.close();
}, 90_000);

describe('faults at moments of chance, under load, on three brokers and two shards', () => {
  it('lose nothing, change no evidence, and repeat no action', async () => {
    const lines: string[] = [];
    const report = await chaos(attacked, {
      seed: Number(process.env.RAMPART_CHAOS_SEED ?? 1),
      isOver: () => true,
      faultsInARound: shortFaults.length,
      chosen: () => shortFaults,
      batchesAFault: 3,
      pace: shortPace,
      // A busy machine starts nothing in five seconds: `npm run chaos` holds to that.
      readyWithinMs: 30_000,
      say: (line) => lines.push(line),
    }).catch((error: unknown) => {
      throw new Error([...lines, String(error)].join('\n'));
    });
    expect(new Set(report.injuries.map(({ fault }) => fault)).size).toBe(shortFaults.length);
    const told = report.violations.length > 0 ? [...lines, table(report)] : [];
    expect({ violations: report.violations, told }).toEqual({ violations: [], told: [] });
  }, 300_000);
});
