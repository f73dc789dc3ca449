import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandBus } from '@nestjs/cqrs';
import { connectControlDatabase } from '@rampart/event-store';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { type ControlPlane, controlPlane } from '../control-plane.examples.js';
import { experimentStream, rolloutStream } from '../streams.js';
import { RolloutReader } from './rollout.reader.js';
import { RolloutSteps } from './rollout-steps.js';
import { analysisOf, defineRollout, GO, HARM, inTime, reaches, rolloutIn, startRollout, stateOf } from './rollouts.examples.js';

const main = join(import.meta.dirname, '..', 'main.js');

let database: FreshDatabase;
let sql: Awaited<ReturnType<typeof connectControlDatabase>>;
const planes: ControlPlane[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  database = await freshDatabase();
  sql = await connectControlDatabase({ url: database.url, entities: [], migrations: [] });
}, 120_000);

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const plane of planes.splice(0)) await plane.close();
  await sql?.destroy();
  await database?.drop();
}, 120_000);

const openPlane = async (): Promise<ControlPlane> => {
  const plane = await controlPlane(database.url);
  planes.push(plane);
  return plane;
};

/** One that can be killed. */
const startProcess = async (): Promise<ChildProcess> => {
  const env = {
    PATH: process.env.PATH,
    RAMPART_DATABASE_URL: database.url,
    RAMPART_SECRET: 'a-platform-secret-for-specs',
    RAMPART_ADMIN_KEY: 'an-admin-key-for-specs',
    RAMPART_PARENT_PIPE: '1',
  };
  const child = spawn(process.execPath, [main], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await inTime('it listens', async () => (said.includes('"listening"') ? true : undefined));
  return child;
};

const kill = async (child: ChildProcess) => {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

const typesIn = async (stream: string): Promise<readonly string[]> =>
  (await sql.query<{ type: string }[]>('select type from control.event where stream = $1 order by version', [stream])).map(
    ({ type }) => type,
  );

/** Whoever holds the lock of the subscription that moves rollouts. */
const hasOwner = () =>
  inTime('a process moves rollouts', async () => {
    const held = await sql.query<unknown[]>(
      `select from pg_locks where locktype = 'advisory' and objid = (hashtext('rollouts')::bigint & 4294967295)::oid and granted`,
    );
    return held.length > 0 ? true : undefined;
  });

describe('several processes at once', () => {
  it('end each stage once, also where two don’t know of each other', async () => {
    const plane = await openPlane();
    await defineRollout(plane);
    await startRollout(plane);
    const steps = Array.from(
      { length: 4 },
      () => new RolloutSteps(plane.app.get(RolloutReader, { strict: false }), plane.app.get(CommandBus, { strict: false })),
    );
    const place = { project: 'default', rollout: 'greener' };
    const analysis = analysisOf(plane);
    for (const stage of ['half', 'all']) {
      await analysis.says(GO);
      await inTime(`stage ${stage}`, async () => {
        await Promise.all(steps.map((one) => one.take(place)));
        return (await stateOf(plane))?.ramp?.stage === stage ? true : undefined;
      });
    }
    await analysis.says(GO);
    await inTime('the release', async () => {
      await Promise.all(steps.map((one) => one.take(place)));
      return (await stateOf(plane))?.status === 'decided' ? true : undefined;
    });
    expect(await typesIn(rolloutStream('default', 'greener'))).toEqual([
      'RolloutDefined',
      'RolloutStarted',
      'RolloutAdvanced',
      'RolloutAdvanced',
      'RolloutReleased',
    ]);
    expect(await typesIn(experimentStream('default', 'button'))).toEqual([
      'ExperimentDefined',
      'ExperimentStarted',
      'RampMoved',
      'RampMoved',
      'ExperimentDecided',
    ]);
  }, 200_000);

  it('take over from one that is killed', async () => {
    const first = await startProcess();
    await hasOwner();
    const plane = await openPlane();
    await defineRollout(plane);
    await startRollout(plane);
    const analysis = analysisOf(plane);
    await analysis.says(GO);
    await reaches(plane, 'the second stage', (_, { ramp }) => ramp?.stage === 'half');
    await kill(first);
    await analysis.says(HARM);
    const { state } = await reaches(plane, 'the way back', ({ status }, run) => status === 'rolled-back' && run.status === 'decided');
    expect(state.decision?.outcome).toBe('stop');
  }, 300_000);
});

describe('a process that is killed between the rollout’s step and its experiment’s', () => {
  it('leaves an intent that the next one carries out, once', async () => {
    // The experiment's move waits here for ever: the moment between the two, made long.
    await sql.query(`create function control.wait_here() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(4711); return new; end $$`);
    await sql.query(
      `create trigger wait_here before insert on control.event for each row when (new.type = 'RampMoved') execute function control.wait_here()`,
    );
    const holder = sql.createQueryRunner();
    await holder.query('select pg_advisory_lock(4711)');
    const first = await startProcess();
    await hasOwner();
    const plane = await openPlane();
    await defineRollout(plane);
    await startRollout(plane);
    await analysisOf(plane).says(GO);
    await inTime('the intent is stored', async () =>
      (await typesIn(rolloutStream('default', 'greener'))).includes('RolloutAdvanced') ? true : undefined,
    );
    const [waiting] = await inTime('its experiment’s move waits', async () => {
      const found = await sql.query<{ pid: number }[]>(
        `select pid from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`,
      );
      return found.length > 0 ? found : undefined;
    });
    await kill(first);
    // The server does not notice that a waiting client has died, and would commit for it.
    await sql.query('select pg_terminate_backend($1)', [waiting?.pid]);
    await holder.query('select pg_advisory_unlock(4711)');
    await holder.release();
    await reaches(plane, 'the experiment follows', (rollout, { ramp }) => rollout.stage?.name === 'half' && ramp?.stage === 'half');
    expect(await typesIn(rolloutStream('default', 'greener'))).toEqual(['RolloutDefined', 'RolloutStarted', 'RolloutAdvanced']);
    expect(await typesIn(experimentStream('default', 'button'))).toEqual(['ExperimentDefined', 'ExperimentStarted', 'RampMoved']);
    expect((await rolloutIn(plane)).status).toBe('running');
  }, 300_000);
});
