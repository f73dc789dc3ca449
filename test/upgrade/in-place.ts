/** One machine: the earlier platform is filled as a user would, and stopped; the present one starts on its data. */
import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { askAll, defineAssigned } from '../journeys/assigned.js';
import { checkoutButton, startImport } from '../journeys/importer.js';
import { type LiveSetting, neverClosing, OUTSIDERS, recordSaying, send, startLive, visits } from '../journeys/live.js';
import { eventually, type Platform, startPlatform, temporaryData } from '../journeys/platform.js';
import type { Findings } from './findings.js';

const UNITS = 400;
const ASSIGNED = Array.from({ length: 100 }, (_, n) => `unit-${n}`);
const env = { RAMPART_LOOK_INTERVAL_MS: '500' };

interface Filled {
  readonly watched: LiveSetting;
  readonly decided: LiveSetting;
  readonly clientKey: string;
}

/** What must be the same to whoever asks, before and after. */
interface Kept {
  readonly watched: object;
  readonly imported: object;
  readonly records: readonly string[];
  readonly assigned: readonly (readonly [string, string | undefined])[];
}

const fill = async (platform: Platform): Promise<Filled> => {
  const watched = await startLive(platform, { ...neverClosing, project: 'upgraded', environment: 'watched' });
  await send(platform, watched, behaving(watched, 0));
  const decided = await startLive(platform, { project: 'upgraded' });
  await send(platform, decided, behaving(decided, 0));
  await recordSaying(platform, decided, 'continue');
  const { clientKey } = await defineAssigned(platform);
  await askAll(platform.address, clientKey, 'checkout', ASSIGNED);
  const imported = await startImport(platform, { ...checkoutButton, project: 'upgraded' }).ended;
  if (imported.code !== 0) throw new Error(`the import ended with ${imported.code}: ${imported.stderr}`);
  await stored(platform, watched, behaving(watched, 0).length);
  return { watched, decided, clientKey };
};

const behaving = (setting: LiveSetting, from: number) => visits(setting, from, from + UNITS, { buysOneIn: { control: 3, treatment: 4 } });

const resultsIn = async (platform: Platform, experiment: string, environment: string) => {
  const path = `/v1/experiments/${experiment}/results?project=upgraded&environment=${environment}`;
  const { status, body } = await platform.call('GET', path);
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
  return body;
};

const stored = (platform: Platform, { experiment, environment }: LiveSetting, sent: number) =>
  eventually(`${sent} events of ${experiment} are stored and counted`, async () => {
    const { population } = await resultsIn(platform, experiment, environment);
    return population.duplicates.stored === sent + OUTSIDERS ? true : undefined;
  });

const keptBy = async (platform: Platform, { watched, decided, clientKey }: Filled): Promise<Kept> => {
  const evidenceOf = async (experiment: string, environment: string) => {
    const { evidenceDigest, sufficientStatistics } = await resultsIn(platform, experiment, environment);
    return { evidenceDigest, sufficientStatistics };
  };
  const told = await askAll(platform.address, clientKey, 'checkout', ASSIGNED);
  const { body } = await platform.call(
    'GET',
    `/v1/experiments/${decided.experiment}/decisions?project=upgraded&environment=production&limit=100`,
  );
  return {
    watched: await evidenceOf(watched.experiment, watched.environment),
    imported: await evidenceOf('checkout_button', 'checkout_button'),
    records: body.items.map(({ id }: { readonly id: string }) => id),
    assigned: ASSIGNED.map((unit) => [unit, told.get(unit)?.variant]),
  };
};

const holdAgainst = async (platform: Platform, filled: Filled, before: Kept, findings: Findings): Promise<void> => {
  const after = await keptBy(platform, filled);
  findings.check('sums and evidence digest of what runs are the same', isDeepStrictEqual(after.watched, before.watched));
  findings.check('sums and evidence digest of what was imported are the same', isDeepStrictEqual(after.imported, before.imported));
  findings.check(`${before.assigned.length} units have the same variants`, isDeepStrictEqual(after.assigned, before.assigned));
  // The present engine may have more to say since.
  const areThere = before.records.every((id) => after.records.includes(id));
  findings.check(`${before.records.length} decision records are there`, before.records.length > 0 && areThere);
  const more = behaving(filled.watched, UNITS);
  await send(platform, filled.watched, more);
  await stored(platform, filled.watched, behaving(filled.watched, 0).length + more.length);
  findings.check('new events are counted with the earlier ones', true);
  await findings.checkHistory(platform);
};

/** @param checkout  of the earlier platform, built */
export const upgradedInPlace = async (checkout: string, findings: Findings, say: (line: string) => void): Promise<void> => {
  const data = temporaryData();
  let platform = await startPlatform({ data, env, log: 'embedded', checkout });
  try {
    say('the earlier one runs, and is filled');
    const filled = await fill(platform);
    const before = await keptBy(platform, filled);
    await platform.stop();
    platform = await startPlatform({ data, env, log: 'embedded' });
    say('the present one runs on its data');
    await holdAgainst(platform, filled, before, findings);
  } finally {
    await platform.stop();
    rmSync(data, { recursive: true, force: true });
  }
};
