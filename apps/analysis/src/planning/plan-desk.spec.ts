import { afterEach, describe, expect, it } from '@jest/globals';
import { type PowerRequest, powerQuestion } from '@rampart/contracts';
import { expectedMetric } from './expected-metric.js';
import { PlanDesk } from './plan-desk.js';
import { powerPlan } from './power-plan.js';

const asked = (more: Partial<PowerRequest> = {}) => {
  const question = powerQuestion.parse({
    ...{ metric: { mean: 20, sd: 5 }, minimumEffect: { relative: 0.01 }, method: 'fixed-horizon' },
    ...more,
  });
  return { question, expected: expectedMetric(question) };
};

let desk = new PlanDesk();
afterEach(async () => {
  await desk.onApplicationShutdown();
  desk = new PlanDesk();
});

describe('the desk at which plans are computed', () => {
  it('answers what the planner does', async () => {
    const question = { method: 'msprt', tau: 0.1 } as const;
    expect(await desk.plan(asked(question))).toEqual(powerPlan(asked(question).question));
  });

  it('leaves the process to others meanwhile', async () => {
    let turns = 0;
    const plan = desk.plan(asked({ method: 'group-sequential', looks: 60 })).then(() => turns);
    const goOn = new Promise<number>((resolve) => {
      const turn = () => (++turns < 20 ? setImmediate(turn) : resolve(turns));
      turn();
    });
    expect(await Promise.race([plan.then(() => 'plan'), goOn.then(() => 'others')])).toBe('others');
    expect(await plan).toBe(20);
  });

  it('refuses as the planner does, with the place', async () => {
    const tiny = desk.plan(asked({ minimumEffect: { absolute: 1e-9 } }));
    await expect(tiny).rejects.toMatchObject({ code: 'invalid-request', details: { errors: [{ path: '/minimumEffect' }] } });
  });

  it('lets sixteen wait and says to all others when to ask again', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 18 }, () => desk.plan(asked())));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    expect(refused).toHaveLength(2);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'unavailable', retryAfterMs: 2_000 });
    expect((await desk.plan(asked())).method).toBe('fixed-horizon');
  });

  it('says that its thread was lost, and answers the next one by another', async () => {
    // What no request can hold: the thread ends by it.
    const impossible = asked({ method: 'bayesian', bayesian: { prior: { mean: 0, sd: 0.02 } } });
    const { bayesian: _, ...question } = impossible.question;
    const [lost, kept] = await Promise.allSettled([desk.plan({ ...impossible, question }), desk.plan(asked())]);
    expect(lost).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('proper prior') } });
    expect(kept.status).toBe('fulfilled');
  });

  it('lets nobody wait for a service that stops', async () => {
    const plan = desk.plan(asked({ method: 'sequential' }));
    const answer = expect(plan).rejects.toMatchObject({ code: 'unavailable' });
    await desk.onApplicationShutdown();
    await answer;
  });
});
