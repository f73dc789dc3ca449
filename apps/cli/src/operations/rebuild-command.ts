/** `rampart rebuild`: asks the platform to derive anew, from log and history, what follows from them, and waits until it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RebuildState } from '@rampart/contracts';
import { count, type Progress } from '../import/progress.js';
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { Refusal } from '../refusal.js';

export type Rebuilt = 'store' | 'read-models';

export interface Rebuilding {
  readonly environment: Environment;
  readonly progress: Progress;
  readonly print: (text: string) => void;
}

const LOOK_EVERY_MS = 250;

/** @param what  in this order. @throws Refusal where the platform refuses, or the rebuild fails */
export const rebuild = async (what: readonly Rebuilt[], address: string | undefined, asking: Rebuilding): Promise<void> => {
  const platform = await requirePlatform(asking.environment, address);
  const client = new ApiClient(platform.address, adminKey(asking.environment).key, 60_000);
  try {
    for (const one of what) {
      if (one === 'read-models') {
        const { body } = await client.expect('POST', '/v1/admin/rebuild', [200], {});
        asking.print(body.message);
      } else await rebuildStore(client, asking);
    }
  } finally {
    asking.progress.clear();
    await client.close();
  }
};

const rebuildStore = async (client: ApiClient, { progress, print }: Rebuilding): Promise<void> => {
  const { body } = await client.expect('POST', '/v1/analysis/rebuild', [202], {});
  progress.say(body.message);
  for (;;) {
    const state = (await client.expect('GET', '/v1/analysis/rebuild', [200])).body as RebuildState;
    if (state.filling !== body.filling)
      throw new Refusal('The process that filled the new store is gone, and the old one serves on: run rampart rebuild store again.');
    if (state.state === 'failed') throw new Refusal(`The store was not rebuilt, and the old one serves on: ${state.error}`);
    if (state.state === 'done') {
      print(`The store was filled anew from ${count(state.toRead)} messages of the log (filling ${state.filling}).`);
      return;
    }
    progress.show(() => `${count(state.read)} of ${count(state.toRead)} messages`);
    await sleep(LOOK_EVERY_MS);
  }
};
