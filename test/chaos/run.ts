/** Rounds of faults under load, and what is compared after each: clients' histories with what is kept, the evidence with that of an undisturbed run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { projectSecret, pseudonymsWith } from '@rampart/contracts/pseudonyms';
import { assigned, defineAssigned, inTurns } from '../journeys/assigned.js';
import { DEPLOYMENT_SECRET } from '../journeys/deployment.js';
import { decisionsOf, type LiveSetting, neverClosing, OUTSIDER_CRASH, OUTSIDERS, startLive, visits } from '../journeys/live.js';
import { rampHistory, rampReaches, rampVisits, startRamp } from '../journeys/ramp.js';
import { Random } from '../simulation/random.js';
import { type Attacked, untilReady } from './attacked.js';
import { askForVariants, Register, type Sent, sendEvents, type Told } from './clients.js';
import { type Evidence, evidenceOf } from './evidence.js';
import { drawn, type Fault, type Injury, inflict, type Pace } from './faults.js';
import { actionViolations, keptViolations, registerViolations, storedViolations } from './history.js';
import { exposedUnits, hashOfId, storedIds } from './stored.js';

export interface ChaosOptions {
  readonly seed: number;
  /** Rounds begin until it is over; at least one. */
  readonly isOver: (round: number, sofar: readonly Injury[]) => boolean;
  readonly faultsInARound: number;
  /** Batches that may go for each fault. */
  readonly batchesAFault: number;
  readonly pace: Pace;
  /** Faults of a round: each once before any comes again. */
  readonly chosen: () => readonly Fault[];
  /** After its engine's return everybody is ready within so long. */
  readonly readyWithinMs: number;
  readonly say: (line: string) => void;
  /** What has been seen so far: whoever interrupts keeps it. */
  readonly onRound?: (sofar: ChaosReport) => void;
}

export interface Round {
  readonly number: number;
  readonly acknowledged: number;
  readonly stored: number;
  readonly operations: number;
  readonly told: number;
  readonly digest: string;
  readonly statuses: ReadonlyMap<number, number>;
}

export interface ChaosReport {
  readonly injuries: readonly Injury[];
  readonly rounds: readonly Round[];
  readonly violations: readonly string[];
  /** Exposures that a full disk left no room for: said, not silent. */
  readonly dropped: number;
}

const PER_BATCH = 60;
const BATCH_PAUSE_MS = 150;
/** From one fault's end to the next one, at most: the seed says when. */
const CALM_MS = 1_500;
const PROJECT = 'chaos';
const EVENTS_A_UNIT = 1.5;
const atOnce = { perBatch: 500, when: async () => undefined };

const steady = {
  buysOneIn: { control: 3, treatment: 4 },
  crashes: (arm: string, place: number) => arm === 'control' && place % 7 === 0,
};

const crashing = {
  buysOneIn: { control: 4, treatment: 4 },
  crashes: (arm: string, index: number) => arm === 'treatment' && index % 4 === 0,
};

export const chaos = async (attacked: Attacked, options: ChaosOptions): Promise<ChaosReport> => {
  const { deployment } = attacked;
  const quiet = await started(attacked, 'calm');
  const { acknowledged } = await sendEvents(deployment, quiet, eventsOf(quiet, options), atOnce);
  const calm = await evidenceOf(deployment, quiet, acknowledged.size);
  options.say(`undisturbed: ${calm.stored} events, evidence ${calm.digest.slice(0, 12)}`);
  const shop = await defineAssigned(deployment, 'chaos-assigned');
  const registers: Register[] = [];

  const injuries: Injury[] = [];
  const rounds: Round[] = [];
  const violations: string[] = [];
  const told: Told = { acknowledged: new Set(), asked: new Set() };
  attacked.press = async (address, count) => {
    const units = Array.from({ length: count }, (_, at) => `pressed-${told.asked.size + at}`);
    for (const unit of units) told.asked.add(unit);
    await inTurns(units, async (unit) => {
      const answer = await assigned(address, shop.clientKey, 'checkout', unit).catch(() => undefined);
      if (answer?.reason === 'SPLIT') told.acknowledged.add(unit);
    });
  };
  for (let number = 1; number === 1 || !options.isOver(number, injuries); number += 1) {
    const fault = drawn(new Random(options.seed, 'faults', number), options.chosen());
    // One of its own: a history that only grows would be a load of its own, heavier with each round.
    const register = new Register(deployment, PROJECT, `register-${number}`);
    registers.push(register);
    await register.begin();
    const seen = await oneRound(attacked, options, { number, fault, register, clientKey: shop.clientKey });
    const judged = await judgedRound(attacked, seen, calm);
    injuries.push(...seen.injuries);
    violations.push(...lateInjuries(seen.injuries, options.readyWithinMs), ...judged.violations);
    for (const unit of seen.told.acknowledged) told.acknowledged.add(unit);
    for (const unit of seen.told.asked) told.asked.add(unit);
    const operations = registers.reduce((sum, one) => sum + one.operations.length, 0);
    rounds.push({ number, acknowledged: seen.sent.acknowledged.size, operations, told: seen.told.acknowledged.size, ...judged.evidence });
    options.onRound?.({ injuries, rounds, violations, dropped: attacked.dropped });
    options.say(`round ${number}: ${seen.sent.acknowledged.size} acknowledged, evidence ${judged.evidence.digest.slice(0, 12)}`);
  }
  for (const register of registers)
    violations.push(...registerViolations(register.operations), ...keptViolations(register.operations, await register.kept()));
  violations.push(...(await exposureViolations(attacked, shop.project, told)));
  return { injuries, rounds, violations, dropped: attacked.dropped };
};

const started = ({ deployment }: Attacked, environment: string): Promise<LiveSetting> =>
  startLive(deployment, { ...neverClosing, project: PROJECT, environment });

/** The same in every environment: so many that each fault has its batches. */
const eventsOf = (setting: LiveSetting, { faultsInARound, batchesAFault }: ChaosOptions): readonly { readonly id: string }[] => {
  const units = Math.ceil((faultsInARound * batchesAFault * PER_BATCH) / EVENTS_A_UNIT);
  return visits(setting, 0, units, steady) as readonly { readonly id: string }[];
};

interface Company {
  readonly number: number;
  readonly fault: Iterator<Fault, never>;
  readonly register: Register;
  readonly clientKey: string;
}

interface Seen {
  readonly number: number;
  readonly setting: LiveSetting;
  readonly ramp: LiveSetting;
  readonly injuries: readonly Injury[];
  readonly sent: Sent;
  readonly told: Told;
}

/** Faults one after another, and clients that go on all the while. */
const oneRound = async (attacked: Attacked, options: ChaosOptions, { number, fault, register, clientKey }: Company): Promise<Seen> => {
  const { deployment } = attacked;
  const setting = await started(attacked, `round-${number}`);
  const ramp = await startRamp(deployment, { experiment: `harmful-${number}` });
  const random = new Random(options.seed, 'victims', number);
  const injuries: Injury[] = [];
  let begun = 0;
  let isOver = false;
  const injure = async () => {
    try {
      while (injuries.length < options.faultsInARound) {
        begun += 1;
        await sleep(random.uniform() * CALM_MS);
        const injury = await inflict(fault.next().value, attacked, random, options.pace);
        injuries.push(injury);
        options.say(`  ${said(injury)}`);
      }
    } finally {
      begun = Number.POSITIVE_INFINITY;
      isOver = true;
    }
  };
  const when = async (batch: number) => {
    await sleep(BATCH_PAUSE_MS);
    while (batch >= begun * options.batchesAFault) await sleep(50);
  };
  const visiting = async () => {
    for (let next = 0; !isOver; next += 100) {
      const visitors = rampVisits(ramp, next, next + 100, crashing) as readonly { readonly id: string }[];
      await sendEvents(deployment, ramp, visitors, atOnce);
      await sleep(500);
    }
  };
  const [, sent, told] = await Promise.all([
    injure(),
    sendEvents(deployment, setting, eventsOf(setting, options), { perBatch: PER_BATCH, when }),
    askForVariants(deployment, clientKey, `r${number}`, () => isOver),
    register.run(() => isOver),
    visiting(),
  ]);
  return { number, setting, ramp, injuries, sent, told };
};

const judgedRound = async (
  attacked: Attacked,
  { number, setting, ramp, sent }: Seen,
  calm: Evidence,
): Promise<{ readonly violations: readonly string[]; readonly evidence: Pick<Round, 'digest' | 'stored' | 'statuses'> }> => {
  const { deployment } = attacked;
  await untilReady(attacked, 60_000);
  const found = await evidenceOf(deployment, setting, sent.acknowledged.size);
  const isSame = found.digest === calm.digest && found.sums === calm.sums;
  const ids = (all: ReadonlySet<string>) => new Set([...all].map((id) => hashOfId('live', id)));
  const offered = new Set([...ids(sent.offered), hashOfId('live', OUTSIDER_CRASH)]);
  const stored = await storedIds(deployment, PROJECT, setting.environment);
  await rampReaches(deployment, ramp, 'the way back', ({ status }) => status === 'rolled-back');
  const violations = [
    ...(isSame ? [] : [`evidence ${found.digest.slice(0, 12)} is not ${calm.digest.slice(0, 12)}`]),
    ...storedViolations(ids(sent.acknowledged), offered, stored),
    ...actionViolations(await rampHistory(deployment, ramp), await decisionsOf(deployment, ramp)),
  ];
  return {
    violations: violations.map((what) => `round ${number}: ${what}`),
    evidence: { digest: found.digest, stored: found.stored - OUTSIDERS, statuses: sent.statuses },
  };
};

const said = ({ fault, victim, readyAfterMs, load, last }: Injury): string =>
  `${fault} (${victim}): ready after ${(readyAfterMs / 1000).toFixed(1)} s, load ${load.toFixed(1)}${last === '' ? '' : `: ${last}`}`;

const lateInjuries = (injuries: readonly Injury[], withinMs: number): readonly string[] =>
  injuries.filter(({ away, readyAfterMs }) => away !== 'nothing' && readyAfterMs > withinMs).map(said);

/** What was told on the way to a process that died is on its disk, and in the log when it is back. */
const exposureViolations = async ({ deployment, dropped }: Attacked, project: string, told: Told): Promise<readonly string[]> => {
  const pseudonym = pseudonymsWith(projectSecret(DEPLOYMENT_SECRET, project));
  const pseudonyms = (units: ReadonlySet<string>) => new Set([...units].map((unit) => pseudonym('user', unit)));
  const [acknowledged, asked] = [pseudonyms(told.acknowledged), pseudonyms(told.asked)];
  const until = Date.now() + 30_000;
  for (;;) {
    const exposed = await exposedUnits(deployment, project, 'faster-checkout');
    const violations = storedViolations(acknowledged, asked, exposed, dropped);
    if (violations.length === 0) return [];
    if (Date.now() > until) return violations.map((what) => `exposures, of which ${dropped} were dropped: ${what}`);
    await sleep(500);
  }
};

/** Faults by name, and what became of them. */
export const table = ({ injuries, rounds, violations, dropped }: ChaosReport): string => {
  const names = [...new Set(injuries.map(({ fault }) => fault))].sort();
  const lines = names.map((name) => {
    const own = injuries.filter(({ fault }) => fault === name);
    const kills = own.reduce((sum, one) => sum + one.kills, 0);
    const ready = own.map(({ readyAfterMs }) => readyAfterMs).sort((a, b) => a - b);
    const at = (share: number) => ((ready[Math.min(ready.length - 1, Math.floor(share * ready.length))] ?? 0) / 1000).toFixed(1);
    const load = own.reduce((sum, one) => sum + one.load, 0) / own.length;
    return `| ${name} | ${own.length} | ${kills} | ${at(0.5)} | ${at(1)} | ${load.toFixed(1)} |`;
  });
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const kills = injuries.reduce((total, one) => total + one.kills, 0);
  return [
    '| fault | times | kills | ready after, median s | worst s | load per core |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    `${rounds.length} rounds, ${injuries.length} faults, ${kills} kills; ${sum(({ acknowledged }) => acknowledged)} events acknowledged, ${sum(({ stored }) => stored)} stored; ` +
      `${sum(({ told }) => told)} variants told, ${dropped} exposures dropped for a full disk and counted; ${rounds.at(-1)?.operations ?? 0} operations on registers; evidence digests: ${new Set(rounds.map(({ digest }) => digest)).size}.`,
    violations.length === 0 ? 'Nothing was violated.' : `VIOLATED:\n${violations.map((one) => `- ${one}`).join('\n')}`,
  ].join('\n');
};
