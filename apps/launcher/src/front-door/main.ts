/** `node apps/launcher/dist/front-door/main.js`: one address before services that run elsewhere, each of them once or several times. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../refusal.js';
import { openFrontDoor } from './front-door.js';
import { frontDoorSettingsFrom } from './front-door-settings.js';
import { PageFiles } from './page-files.js';
import type { PlatformStatus } from './status-page.js';
import { Upstreams } from './upstreams.js';

const checkout = resolve(import.meta.dirname, '..', '..', '..', '..');
const closeWithinMs = 10_000;

const main = async (): Promise<void> => {
  const { host, port, drainMs, upstreams } = frontDoorSettingsFrom(process.env);
  const version: string = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version;
  const startedAt = new Date().toISOString();
  const places = new Upstreams(upstreams);
  await places.start();
  let address = '';
  let isEnding = false;
  const status = async (): Promise<PlatformStatus> => {
    const states = places.states();
    const services = Object.keys(upstreams);
    return {
      // A service is there while one of its processes is.
      isReady: !isEnding && services.every((name) => states.some(({ service, isReady }) => service === name && isReady)),
      ...{ address, version, startedAt, adminKey: 'the one that the services were given' },
      components: states.map(({ service, address: name, isReady }) => ({
        name: `${service} ${name}`,
        kind: 'service',
        state: isReady ? 'ready' : 'not ready',
        ...{ isReady, restarts: 0, pid: undefined, version: undefined },
      })),
    };
  };
  const page = new PageFiles(join(checkout, 'apps', 'dashboard', 'dist', 'page'));
  const door = await openFrontDoor({ host, port, places, status, page });
  address = door.address;
  const drained = new AbortController();
  const end = async (afterMs = 0): Promise<void> => {
    // Asked twice is meant.
    if (isEnding) return drained.abort();
    isEnding = true;
    await sleep(afterMs, undefined, { signal: drained.signal }).catch(() => undefined);
    places.close();
    await door.close(closeWithinMs);
    process.exit(0);
  };
  process.on('SIGTERM', () => void end(drainMs));
  process.on('SIGINT', () => void end());
  if (process.env.RAMPART_PARENT_PIPE === '1') process.stdin.on('end', () => void end()).resume();
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: Number(new URL(address).port), address })}\n`);
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Refusal ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
