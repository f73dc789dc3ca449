/** A process whose clock is wrong from its first line on: what to add to its environment. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @param folder  where the few lines that turn the clock may lie @param ms  by how much it is fast; negative: slow */
export const wrongClock = (folder: string, ms: number): Readonly<Record<string, string>> => {
  const path = join(folder, `clock-${ms}.mjs`);
  writeFileSync(
    path,
    `const RealDate = Date; const now = () => RealDate.now() + ${ms};
globalThis.Date = class extends RealDate { constructor(...given) { if (given.length === 0) super(now()); else super(...given); } static now() { return now(); } };\n`,
  );
  return { NODE_OPTIONS: `--import=${pathToFileURL(path).href}` };
};

/** A clock that jumps while its process runs: what to add to the environment from the start, and how to turn it. */
export interface TurnableClock {
  readonly env: Readonly<Record<string, string>>;
  /** By how much it is fast from now on, within a tenth of a second; the process's monotonic clock goes on, as it does on a real machine. */
  turn(ms: number): void;
}

export const turnableClock = (folder: string, name: string): TurnableClock => {
  const [offset, path] = [join(folder, `${name}.clock`), join(folder, `${name}-clock.mjs`)];
  const turn = (ms: number) => {
    writeFileSync(`${offset}.new`, String(ms));
    renameSync(`${offset}.new`, offset);
  };
  turn(0);
  writeFileSync(
    path,
    `import { readFileSync } from 'node:fs';
let off = 0; const look = () => { off = Number(readFileSync(${JSON.stringify(offset)}, 'utf8')); }; look(); setInterval(look, 100).unref();
const RealDate = Date; const now = () => RealDate.now() + off;
globalThis.Date = class extends RealDate { constructor(...given) { if (given.length === 0) super(now()); else super(...given); } static now() { return now(); } };\n`,
  );
  return { env: { NODE_OPTIONS: `--import=${pathToFileURL(path).href}` }, turn };
};
