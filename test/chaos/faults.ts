/** What is done to the deployment, one thing at a time: each fault hurts, waits, heals, and says how long everybody needed to be ready again. */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { BROKERS, SHARDS } from '../journeys/deployment.js';
import type { Member } from '../journeys/member.js';
import { wrongClock } from '../journeys/wrong-clock.js';
import type { Random } from '../simulation/random.js';
import { type Attacked, oneOf, services, untilReady } from './attacked.js';

export interface Injury {
  readonly fault: string;
  readonly victim: string;
  readonly kills: number;
  readonly away: Fault['away'];
  /** Of the machine, over its cores, when everybody was ready again: above 1, somebody waits for a core. */
  readonly load: number;
  /** From the engine's return, or the process's death, until everybody is ready. */
  readonly readyAfterMs: number;
  /** Who was waited for last, and what he said. */
  readonly last: string;
}

export interface Pace {
  /** How long a process stands still, and how long an engine or a line is away. */
  readonly stoppedMs: number;
  readonly awayMs: number;
}

export interface Fault {
  readonly name: string;
  /** For what was away and came back there is a limit. */
  readonly away: 'engine' | 'process' | 'nothing';
  readonly needsDisks?: true;
  /** @returns who was hurt and how many died; everything has been given back when it resolves */
  hurt(attacked: Attacked, random: Random, pace: Pace): Promise<{ readonly victim: string; readonly kills: number }>;
}

/** So long after its cause is gone nobody may still be unready; a violation is said, it does not end the run. */
const GIVE_UP_MS = 60_000;
/** Exposures of half a kilobyte each: more than a spool has room for in pages that it used before. */
const PRESSED_UNITS = 3_000;
const HOUR_MS = 3_600_000;

const killService: Fault = {
  name: 'kill -9 of a service',
  away: 'process',
  hurt: async (attacked, random) => {
    const member = oneOf(services(attacked), random);
    await member.kill();
    return { victim: member.name, kills: 1 };
  },
};

const killDoor: Fault = {
  name: 'kill -9 of the front door',
  away: 'process',
  hurt: async ({ deployment }) => {
    await deployment.member('door').kill();
    return { victim: 'door', kills: 1 };
  },
};

const killBroker: Fault = {
  name: 'kill -9 of a broker',
  away: 'engine',
  hurt: async ({ deployment: { engines } }, random, { awayMs }) => {
    const at = random.next32() % BROKERS;
    await engines.kafka.kill(at);
    await sleep(awayMs);
    await engines.kafka.restart(at);
    return { victim: `broker-${at + 1}`, kills: 1 };
  },
};

const killTwoBrokers: Fault = {
  name: 'kill -9 of two brokers of three',
  away: 'engine',
  hurt: async ({ deployment: { engines } }, random, { awayMs }) => {
    const at = random.next32() % BROKERS;
    const both = [at, (at + 1) % BROKERS];
    await Promise.all(both.map((one) => engines.kafka.kill(one)));
    await sleep(awayMs);
    await Promise.all(both.map((one) => engines.kafka.restart(one)));
    return { victim: both.map((one) => `broker-${one + 1}`).join(' and '), kills: 2 };
  },
};

const killShard: Fault = {
  name: 'kill -9 of a shard',
  away: 'engine',
  hurt: async ({ deployment: { engines } }, random, { awayMs }) => {
    const at = random.next32() % SHARDS;
    await engines.clickhouse.kill(at);
    await sleep(awayMs);
    await engines.clickhouse.restart(at);
    return { victim: `shard-${at + 1}`, kills: 1 };
  },
};

const killPostgres: Fault = {
  name: 'kill -9 of PostgreSQL',
  away: 'engine',
  hurt: async ({ deployment: { engines } }, _random, { awayMs }) => {
    await engines.postgres.stop('kill');
    await sleep(awayMs);
    await engines.postgres.start();
    return { victim: 'postgres', kills: 1 };
  },
};

const stopService: Fault = {
  name: 'a service stands still, then goes on',
  away: 'process',
  hurt: async (attacked, random, { stoppedMs }) => {
    const member = oneOf(services(attacked), random);
    member.signal('SIGSTOP');
    await sleep(stoppedMs);
    member.signal('SIGCONT');
    return { victim: member.name, kills: 0 };
  },
};

const stopShard: Fault = {
  name: 'a shard stands still, then goes on',
  away: 'engine',
  hurt: async ({ deployment: { engines } }, random, { stoppedMs }) => {
    const at = random.next32() % SHARDS;
    engines.clickhouse.signal(at, 'SIGSTOP');
    await sleep(stoppedMs);
    engines.clickhouse.signal(at, 'SIGCONT');
    return { victim: `shard-${at + 1}`, kills: 0 };
  },
};

const users = { brokers: 'everybody', shards: 'analysis', postgres: 'experiments' };

const badLine = (name: string, weather: 'refused' | 'silent' | 'slow', of: 'brokers' | 'shards' | 'postgres'): Fault => ({
  name,
  away: 'engine',
  hurt: async ({ lines }, random, { awayMs }) => {
    const there = { brokers: lines.brokers, shards: lines.shards, postgres: [lines.postgres] }[of];
    const line = oneOf(there, random);
    await line.become(weather);
    await sleep(awayMs);
    await line.become('clear');
    return { victim: `${users[of]} – ${of} ${there.indexOf(line) + 1}`, kills: 0 };
  },
});

/** The other process of the same service answers meanwhile; what was on its way is not acknowledged. */
const cutDoor: Fault = {
  name: 'a service is cut off from the front door without a word',
  away: 'process',
  hurt: async (attacked, random, { awayMs }) => {
    const { name } = oneOf(services(attacked), random);
    const line = attacked.lines.door.get(name);
    await line?.become('silent');
    await sleep(awayMs);
    await line?.become('clear');
    return { victim: name, kills: 0 };
  },
};

const jumpClock: Fault = {
  name: 'the clock of a running service jumps by an hour, and back',
  away: 'process',
  hurt: async (attacked, random, { awayMs }) => {
    const { name } = oneOf(services(attacked), random);
    const ms = random.happens(0.5) ? HOUR_MS : -HOUR_MS;
    attacked.clocks.get(name)?.turn(ms);
    await sleep(awayMs);
    attacked.clocks.get(name)?.turn(0);
    return { victim: `${name} ${ms > 0 ? '+' : '−'}1 h`, kills: 0 };
  },
};

const turnClock: Fault = {
  name: 'a service started with its clock an hour off',
  away: 'process',
  hurt: async (attacked, random, { awayMs }) => {
    const member = oneOf(services(attacked), random);
    const ms = random.happens(0.5) ? HOUR_MS : -HOUR_MS;
    await member.kill(wrongClock(attacked.deployment.data, ms));
    await member.whenReady();
    await sleep(awayMs);
    await member.kill({});
    return { victim: `${member.name} ${ms > 0 ? '+' : '−'}1 h`, kills: 2 };
  },
};

const poison: Fault = {
  name: 'a message that nobody can read',
  away: 'nothing',
  hurt: async ({ deployment: { engines } }, random) => {
    const kafka = new Kafka({ brokers: engines.kafka.brokers.split(','), clientId: 'chaos', logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    const partition = random.next32() % 4;
    await producer.send({
      topic: 'feedback.v1',
      acks: -1,
      messages: [{ partition, value: oneOf(['{"no json', '[{"unit":1}]', '\u0000'], random) }],
    });
    await producer.disconnect();
    return { victim: `feedback.v1/${partition}`, kills: 0 };
  },
};

/** A broker without a disk ends; somebody starts it again when there is room. */
const fullLog: Fault = {
  name: 'the disk of a broker is full',
  away: 'engine',
  needsDisks: true,
  hurt: async ({ deployment: { engines }, disks }, _random, { awayMs }) => {
    disks?.broker.fill();
    await sleep(awayMs);
    disks?.broker.empty();
    await sleep(1_000);
    const kills = engines.kafka.runs(0) ? 0 : 1;
    await engines.kafka.restart(0);
    return { victim: 'broker-1', kills };
  },
};

const fullStore: Fault = {
  name: 'the disk of a shard is full',
  away: 'engine',
  needsDisks: true,
  hurt: async ({ deployment: { engines }, disks }, _random, { awayMs }) => {
    disks?.shard.fill();
    await sleep(awayMs);
    disks?.shard.empty();
    await engines.clickhouse.restart(0);
    return { victim: 'shard-1', kills: 0 };
  },
};

/** The log is away too, or the spool would need no room. Evaluation goes on; exposures that have no place are dropped, and counted. */
const fullSpool: Fault = {
  name: 'the disk of a spool is full, and the log away',
  away: 'engine',
  needsDisks: true,
  hurt: async (attacked, _random, { awayMs }) => {
    const member = attacked.deployment.member('assignment-1');
    const [before, { restarts }] = [await droppedBy(member), member];
    const { brokers } = attacked.lines;
    await Promise.all(brokers.map((line) => line.become('refused')));
    attacked.disks?.spool.fill();
    await Promise.all([sleep(awayMs), attacked.press(member.address, PRESSED_UNITS)]);
    attacked.disks?.spool.empty();
    await Promise.all(brokers.map((line) => line.become('clear')));
    await sleep(500);
    attacked.dropped += (await droppedBy(member)) - before;
    if (member.restarts > restarts)
      throw new Error(`${member.name} ended while its disk was full, what it dropped is not known: ${member.lastEnd()}`);
    return { victim: 'assignment-1', kills: 0 };
  },
};

const droppedBy = async ({ address }: Member): Promise<number> => {
  const read = async () => (await fetch(`${address}/metrics`)).text();
  // A connection that was kept may have been closed just now; a process that ended is told by its restarts.
  const text = await read().catch(() => sleep(1_000).then(read));
  return Number(/^rampart_assignment_exposures_dropped_total(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN);
};

const storeRefuses = badLine('the store refuses connections', 'refused', 'shards');

export const faults: readonly Fault[] = [
  killService,
  killBroker,
  killShard,
  killPostgres,
  stopService,
  poison,
  turnClock,
  jumpClock,
  storeRefuses,
  killDoor,
  killTwoBrokers,
  badLine('the store is cut off without a word', 'silent', 'shards'),
  badLine('the store is slow', 'slow', 'shards'),
  badLine('PostgreSQL is cut off without a word', 'silent', 'postgres'),
  badLine('a broker is cut off from all services without a word', 'silent', 'brokers'),
  badLine('a broker refuses all services', 'refused', 'brokers'),
  cutDoor,
  stopShard,
  fullLog,
  fullStore,
  fullSpool,
];

/** Those that are over soon, whose like must survive every change. */
export const shortFaults: readonly Fault[] = [killService, killBroker, killShard, killPostgres, stopService, poison, storeRefuses];

export const shortPace: Pace = { stoppedMs: 3_000, awayMs: 1_500 };

/** Those that kill whenever they hurt. */
export const killingFaults: readonly Fault[] = [killService, killDoor, killBroker, killTwoBrokers, killShard, killPostgres, turnClock];

/** Each fault once before any comes again, in an order of the seed's. */
export function* drawn(random: Random, all: readonly Fault[]): Generator<Fault, never> {
  for (;;) {
    const left = [...all];
    while (left.length > 0) {
      const [fault] = left.splice(random.next32() % left.length, 1);
      if (fault !== undefined) yield fault;
    }
  }
}

/** @throws when something stays broken */
export const inflict = async (fault: Fault, attacked: Attacked, random: Random, pace: Pace): Promise<Injury> => {
  const { victim, kills } = await fault.hurt(attacked, random, pace);
  const { tookMs: readyAfterMs, last } = await untilReady(attacked, GIVE_UP_MS).catch((error: Error) => {
    throw new Error(`${fault.name} (${victim}): ${error.message}`);
  });
  return { fault: fault.name, away: fault.away, victim, kills, readyAfterMs, last, load: (loadavg()[0] ?? 0) / availableParallelism() };
};
