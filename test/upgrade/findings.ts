/** What was held against what, as it is found; and what every upgrade is held to. */
import { rampart } from '../journeys/importer.js';
import type { Platform } from '../journeys/platform.js';

export class Findings {
  wrong = 0;

  constructor(private readonly say: (line: string) => void) {}

  /** @param more  to say */
  check(what: string, holds: boolean, more = ''): void {
    if (!holds) this.wrong += 1;
    this.say(`${holds ? 'holds ' : 'BROKEN'}  ${what}${more === '' ? '' : `: ${more}`}`);
  }

  /** Each record is recounted from log and store, and the doctor is asked. */
  async checkHistory({ address, adminKey }: Platform): Promise<void> {
    const run = (...args: readonly string[]) => rampart([...args, '--address', address], { RAMPART_ADMIN_KEY: adminKey }).ended;
    const { code, stdout, stderr } = await run('replay', 'decisions', '--json');
    const found = stdout === '' ? stderr : JSON.stringify((JSON.parse(stdout) as { readonly counts: object }).counts);
    this.check('every decision record is recounted from log and store, and is the same', code === 0, found);
    const doctor = await run('doctor');
    this.check('the doctor finds nothing', doctor.code === 0, doctor.code === 0 ? '' : doctor.stdout);
  }
}
