/** `rampart demo`: a shop whose three rollouts one can watch: one is rolled back, one is released, one goes on collecting. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutDocument } from '@rampart/contracts';
import type { Typed } from '../command-line.js';
import { count, type Progress } from '../import/progress.js';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';
import { Shop } from './services.js';
import { openProject, removeShop, revokeKeys, setUpShop } from './set-up.js';

export interface DemoRequest {
  readonly address: string | undefined;
  readonly perSecond: number;
  readonly seed: number;
  readonly isRemoval: boolean;
  readonly isFresh: boolean;
}

/** @throws Refusal (exit code 2) */
export const demoRequest = ({ words, texts, flags }: Typed): DemoRequest => {
  if (words[0] !== undefined) throw usage(`What is "${words[0]}"? rampart demo takes options only; see rampart demo --help.`);
  const perSecond = Number(texts.visitors);
  if (!(perSecond >= 1 && perSecond <= 1_000)) throw usage(`--visitors is a number from 1 to 1000 a second, not "${texts.visitors}".`);
  const seed = Number(texts.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw usage(`--seed is a whole number from 0, not "${texts.seed}".`);
  return { address: texts.address, perSecond, seed, isRemoval: flags.remove === true, isFresh: flags.fresh === true };
};

export interface DemoSurroundings {
  readonly environment: Environment;
  readonly progress: Progress;
  readonly print: (text: string) => void;
  readonly stop: AbortSignal;
}

const WATCH_EVERY_MS = 1_000;
/** Visitors don't wait for each other. */
const CONNECTIONS = 128;

export const demo = async (request: DemoRequest, { environment, progress, print, stop }: DemoSurroundings): Promise<number> => {
  const { address } = await requirePlatform(environment, request.address);
  const client = new ApiClient(address, adminKey(environment).key, 60_000, undefined, CONNECTIONS);
  try {
    const removed = request.isRemoval || request.isFresh ? await removeShop(client) : [];
    if (request.isRemoval) {
      const what =
        removed.length === 0 ? 'There is no demo to remove.' : `Removed: ${removed.join(', ')}, with its rollouts, experiments and keys.`;
      print(what);
      return 0;
    }
    const { project, isNew } = await openProject(client);
    const keys = await setUpShop(client, project);
    print(
      `${isNew ? 'A shop opens' : 'The shop opens again'}: ${request.perSecond} visitors a second, three rollouts in the project "${project}". Watch them at ${address}`,
    );
    print('Ctrl-C closes it; npm run demo goes on, npm run demo -- --fresh begins anew, npm run demo -- --remove leaves nothing.');
    const shop = new Shop(client, keys, request.seed);
    try {
      await Promise.all([shop.open(request.perSecond, stop), watch(client, shop, { project, progress, stop })]);
    } finally {
      await revokeKeys(client, project, keys.ids);
    }
    const { visitors, evaluations, events, failures, turnedAway } = shop.figures;
    if (turnedAway > 0) print(`${count(turnedAway)} visitors were turned away: the platform answers too slowly for so many (--visitors).`);
    print(
      `${count(visitors)} visitors, ${count(evaluations)} evaluations, ${count(events)} events${failures > 0 ? `; ${count(failures)} evaluations were not answered` : ''}.`,
    );
    return 0;
  } finally {
    await client.close();
  }
};

/** Says what changes, as anybody with a key could read it. */
const watch = async (
  client: ApiClient,
  { figures }: Shop,
  { project, progress, stop }: Pick<DemoSurroundings, 'progress' | 'stop'> & { readonly project: string },
): Promise<void> => {
  const known = new Map<string, string>();
  while (!stop.aborted) {
    const { body } = await client.expect('GET', '/v1/rollouts', [200], undefined, { query: { project } });
    for (const rollout of body.items as readonly RolloutDocument[]) {
      const state = stateOf(rollout);
      if (known.get(rollout.key) === state) continue;
      known.set(rollout.key, state);
      progress.say(`${rollout.name}: ${state}${sentenceOf(rollout)}`);
    }
    progress.show(() => `${count(figures.visitors)} visitors, ${count(figures.evaluations)} evaluations, ${count(figures.events)} events`);
    await sleep(WATCH_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  progress.clear();
};

const stateOf = ({ status, stage, stages, look }: RolloutDocument): string => {
  if (status !== 'running') return status;
  const coverage = stage === null ? 0 : (stages[stage.index]?.coverage ?? 0);
  return `${stage?.name ?? ''} (${coverage * 100} %), ${look?.verdict ?? 'no look yet'}`;
};

const sentenceOf = ({ end, look, waits }: RolloutDocument): string => {
  const sentence = end?.reason ?? look?.sentence ?? waits[0]?.sentence;
  return sentence === undefined ? '' : `. ${sentence}`;
};
