import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { EventStore } from '@rampart/event-store';
import { LOG } from '@rampart/service-kit';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { DataSource } from 'typeorm';
import { Catalogue } from '../catalogue/catalogue.store.js';
import { type ControlPlane, controlPlane } from '../control-plane.examples.js';
import { NewestLooks } from '../evidence/newest-looks.js';
import { RolloutProcess } from './rollout.process.js';
import { RolloutReader } from './rollout.reader.js';
import { analysisOf, ask, defineRollout, GO, HARM, inTime, reaches, startRollout, stateOf } from './rollouts.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;

beforeEach(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url);
}, 120_000);

afterEach(async () => {
  await plane?.close();
  await database?.drop();
}, 120_000);

describe('a rollout whose looks say go', () => {
  it('climbs stage by stage in one comparison and is released, its experiment closed at the record acted on', async () => {
    await defineRollout(plane);
    expect(await stateOf(plane)).toBeUndefined();
    await startRollout(plane);
    const analysis = analysisOf(plane);
    const first = await stateOf(plane);
    expect(first).toMatchObject({
      segments: [{ coverage: 0.05, comparison: 1 }],
      ramp: { rollout: 'greener', run: 1, stage: 'canary', policy: 'stage' },
    });
    await analysis.says(GO);
    await reaches(plane, 'the second stage', (rollout, state) => rollout.stage?.name === 'half' && state.ramp?.stage === 'half');
    await analysis.says(GO);
    await reaches(plane, 'the last stage', (rollout, state) => rollout.stage?.name === 'all' && state.ramp?.stage === 'all');
    const state = await stateOf(plane);
    expect(state?.ramp?.policy).toBe('ship');
    expect(state?.segments.map(({ coverage, comparison, seed }) => [coverage, comparison, seed === first?.segments[0]?.seed])).toEqual([
      [0.05, 1, true],
      [0.5, 1, true],
      [1, 1, true],
    ]);
    const { id, knownUntilUs } = await analysis.says(GO);
    const ended = await reaches(plane, 'the release', ({ status }, { decision }) => status === 'released' && decision !== undefined);
    expect(ended.rollout.end).toMatchObject({ record: id, actor: 'rollout-process' });
    expect(ended.state).toMatchObject({
      status: 'decided',
      closedAtUs: knownUntilUs,
      decision: { outcome: 'ship', arm: 'green', record: id },
    });
    expect((await ask(plane, 'GET', '/v1/rollouts/greener/gate')).status).toBe(200);
  }, 120_000);

  it('is left to the rollout: people can neither pause nor decide its experiment', async () => {
    await defineRollout(plane);
    await startRollout(plane);
    for (const [path, body] of [
      ['pause', {}],
      ['freeze-enrolment', {}],
      ['decide', { outcome: 'stop', reason: 'r' }],
    ] as const) {
      const { status, body: problem } = await ask(plane, 'POST', `/v1/experiments/button/${path}`, body);
      expect([status, problem.code, problem.detail]).toEqual([409, 'experiment-governed', expect.stringContaining('"greener"')]);
    }
  }, 120_000);
});

describe('people', () => {
  it('who force the same stage at once move it once', async () => {
    await defineRollout(plane);
    await startRollout(plane);
    const runner = plane.app.get(DataSource, { strict: false }).createQueryRunner();
    await runner.startTransaction();
    // Both are decided before either is stored.
    await runner.query('lock table control.event in exclusive mode');
    const forced = () => ask(plane, 'POST', '/v1/rollouts/greener/advance', { force: true, reason: 'now' });
    const asked = Promise.all([forced(), forced()]);
    await inTime('both wait', async () => {
      const [{ waiting }] = await runner.query('select count(*)::int as waiting from pg_locks where not granted');
      return waiting >= 2 ? true : undefined;
    });
    await runner.commitTransaction();
    await runner.release();
    expect((await asked).map(({ status, body }) => [status, body.code]).toSorted()).toEqual([
      [200, undefined],
      [409, 'stage-left'],
    ]);
    expect((await ask(plane, 'GET', '/v1/rollouts/greener')).body.stage).toMatchObject({ index: 1, name: 'half' });
  }, 120_000);

  it('are told that an environment does not exist, whatever it is called, and find a rollout where it is', async () => {
    await defineRollout(plane);
    const { body } = await ask(plane, 'GET', '/v1/rollouts/greener');
    const { experiment, name, stages } = body;
    for (const environment of ['nowhere', 'constructor']) {
      const answer = await ask(plane, 'POST', '/v1/rollouts', { key: 'elsewhere', name, experiment, stages, environment });
      expect([answer.status, answer.body.code]).toEqual([404, 'environment-not-found']);
    }
    const listed = async (filter: string) => (await ask(plane, 'GET', `/v1/rollouts?${filter}`)).body.items;
    expect(await listed('status=draft&environment=production')).toEqual([body]);
    expect([await listed('status=running'), await listed('environment=staging')]).toEqual([[], []]);
  }, 120_000);
});

describe('harm', () => {
  it('rolls back even while a person holds, and the gate says no-go', async () => {
    await defineRollout(plane);
    await startRollout(plane);
    const analysis = analysisOf(plane);
    expect((await ask(plane, 'POST', '/v1/rollouts/greener/hold', { reason: 'lunch' })).body).toMatchObject({
      status: 'held',
      hold: { cause: 'person' },
    });
    const { id } = await analysis.says(HARM);
    const ended = await reaches(plane, 'the way back', ({ status }, { decision }) => status === 'rolled-back' && decision !== undefined);
    expect(ended.state.decision).toMatchObject({ outcome: 'stop', arm: null, record: id });
    const gate = await ask(plane, 'POST', '/v1/rollouts/greener/gate', { name: 'x', phase: 'Progressing', metadata: {} });
    expect([gate.status, gate.body]).toMatchObject([409, { verdict: 'no-go', decisionId: id, status: 'rolled-back' }]);
    expect((await ask(plane, 'GET', '/v1/rollouts/greener/gate?as=rollback')).status).toBe(200);
    expect((await ask(plane, 'GET', '/v1/rollouts/greener/gate?as=metric')).status).toBe(200);
  }, 120_000);
});

describe('a rollout that was rolled back', () => {
  it('is started again with other units in a comparison of their own, which is judged by itself', async () => {
    await defineRollout(plane);
    await startRollout(plane);
    const first = await stateOf(plane);
    await analysisOf(plane).says(HARM);
    await reaches(plane, 'the way back', ({ status }, { decision }) => status === 'rolled-back' && decision !== undefined);

    await startRollout(plane);
    const again = await reaches(plane, 'run 2', ({ status }, { ramp }) => status === 'running' && ramp?.run === 2);
    expect(again.state).toMatchObject({
      status: 'running',
      closedAtUs: null,
      segments: [
        { segment: 1, comparison: 1 },
        { segment: 2, comparison: 2, coverage: 0.05 },
      ],
    });
    expect(again.state.decision).toBeUndefined();
    expect(again.state.segments[1]?.seed).not.toBe(first?.segments[0]?.seed);
    expect(again.state.startedAtUs).toBe(again.state.segments[1]?.startedAtUs);
    const { body: history } = await ask(plane, 'GET', '/v1/rollouts/greener/history');
    expect(history.items.filter(({ type }: { type: string }) => type === 'RolloutStarted')).toHaveLength(2);

    const analysis = analysisOf(plane);
    const { id } = await analysis.records(HARM, { comparison: 2 });
    await analysis.looks(HARM, { comparison: 2, record: id });
    const ended = await reaches(
      plane,
      'the way back again',
      ({ status }, { decision }) => status === 'rolled-back' && decision?.record === id,
    );
    expect(ended.rollout.end?.record).toBe(id);
  }, 120_000);
});

describe('the process', () => {
  it('is woken by what happens: a record is acted on and published without waiting for a tick', async () => {
    const part = <Part>(of: Type<Part> | (abstract new (...args: never[]) => Part)): Part => plane.app.get(of as never, { strict: false });
    await part(RolloutProcess).stop();
    const parts = { store: part(EventStore), catalogue: part(Catalogue), looks: part(NewestLooks), reader: part(RolloutReader) };
    const waking = new RolloutProcess({ ...parts, commands: part(CommandBus), log: part(LOG as never), tickMs: 3_600_000 });
    waking.follow();
    try {
      await defineRollout(plane);
      await startRollout(plane);
      const record = await analysisOf(plane).says(HARM);
      await reaches(plane, 'the way back', ({ status }, { decision }) => status === 'rolled-back' && decision?.record === record.id);
      await inTime('it is published', async () => {
        const states = [...(await plane.published()).entries()].filter(([key]) =>
          key.startsWith('h/default/experiment/button/production/'),
        );
        return states.some(([, value]) => JSON.stringify(value).includes('"decided"')) ? true : undefined;
      });
    } finally {
      await waking.stop();
    }
  }, 120_000);
});
