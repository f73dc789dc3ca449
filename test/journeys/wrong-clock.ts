/** A process whose clock is wrong from its first line on: what to add to its environment. */
import { writeFileSync } from 'node:fs';
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
