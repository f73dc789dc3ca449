/** npm start: one platform from start to stop. Exit code 0 after a stop that was asked for, 1 with a sentence otherwise. */
import { resolve } from 'node:path';
import { Platform } from './platform.js';
import { Refusal } from './refusal.js';
import { settingsFrom } from './settings.js';

const checkout = resolve(import.meta.dirname, '..', '..', '..');
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const sayWhy = (error: unknown): void => {
  const text = error instanceof Refusal ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
};

/** The terminal sends Ctrl-C to npm and to this process, and npm passes it on: twice is once. */
const sameKeypressMs = 700;

/** Calls `gone` when the parent has died. npm does not pass on its own violent death. */
const watchParent = (watchesPipe: boolean, gone: () => void): void => {
  if (watchesPipe) process.stdin.on('end', gone).on('close', gone).on('error', gone).resume();
  const parent = process.ppid;
  // Without npm in between a changed parent means nothing: a shell may leave a background job behind on purpose.
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => {
    if (process.ppid !== parent) gone();
  }, 500).unref();
};

const main = async (): Promise<void> => {
  const settings = settingsFrom(process.env, checkout);
  const platform = new Platform(settings, checkout, say);
  let stopping: Promise<void> | undefined;
  const stop = (code: number): Promise<void> => {
    stopping ??= platform.stop().then(() => process.exit(code));
    return stopping;
  };
  let askedAtMs = 0;
  const onSignal = (name: string) => {
    if (stopping === undefined) {
      askedAtMs = Date.now();
      say(`${name}: stopping${name === 'Ctrl-C' ? ' (once more: at once)' : ''} …`);
      void stop(0);
    } else if (name === 'Ctrl-C' && Date.now() - askedAtMs > sameKeypressMs) {
      platform.kill();
      process.exit(130);
    }
  };
  process.on('SIGINT', () => onSignal('Ctrl-C'));
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  process.on('SIGHUP', () => onSignal('SIGHUP'));
  watchParent(settings.watchesPipe, () => void stop(1));
  process.on('uncaughtException', (error) => {
    sayWhy(error);
    void stop(1);
  });
  try {
    if (settings.restoreFrom !== undefined) {
      await platform.restore(settings.restoreFrom);
      return void (await stop(0));
    }
    if (settings.generation !== undefined) {
      await platform.openGeneration(settings.generation);
      return void (await stop(0));
    }
    await platform.start();
  } catch (error) {
    if (stopping === undefined) sayWhy(error);
    await stop(1);
  }
};

// A terminal that is gone must not end the platform in the middle of its stop.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
main().catch((error: unknown) => {
  sayWhy(error);
  process.exitCode = 1;
});
