import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { experiment, feature, state } from '../ruleset/published.examples.js';
import { eventually, isReady, key, published, type StartedAssignment, startAssignment } from '../running/started-assignment.examples.js';

jest.setTimeout(60_000);

let assignment: StartedAssignment;

beforeAll(async () => {
  assignment = await startAssignment([
    published({ kind: 'feature', version: 1, value: feature() }, 'checkout'),
    published({ kind: 'experiment', version: 1, value: experiment() }, 'faster-checkout'),
    published({ kind: 'experiment-state', revision: 1, value: state() }, 'faster-checkout', 'production'),
  ]);
  await isReady(assignment);
});
afterAll(() => assignment.stop());

describe('a flag that an experiment decides', () => {
  it('is answered with its variant, and counted once in the log', async () => {
    const answer = await assignment.flag('checkout', { targetingKey: 'u1' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ key: 'checkout', reason: 'SPLIT', metadata: { experiment: 'faster-checkout', segment: 1 } });
    await assignment.flag('checkout', { targetingKey: 'u1' });
    const rows = await eventually('the exposure is in the log', async () => {
      const found = await assignment.rows();
      return found.length > 0 ? found : undefined;
    });
    expect(rows).toEqual([
      expect.objectContaining({
        kind: 'exposure',
        name: 'faster-checkout',
        variant: answer.body.variant,
        segment: 1,
        reason: 'SPLIT',
        key: 'client',
      }),
    ]);
  });
});
