/** `npm run chaos -- --seed S [--minutes M] [--kills N] [--only WORDS] [--short] [--out FILE]`: faults under load on the distributed deployment; the table so far after each round, also into a file. Exit code 1 where anything was violated. */
import { copyFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attackedDeployment } from './attacked.js';
import { faults, type Injury, killingFaults, shortFaults, shortPace } from './faults.js';
import { type ChaosReport, chaos, table } from './run.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    kills: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});
const words = (values.only ?? '').split(',');
const asked = (values.short ? shortFaults : faults).filter(({ name }) => words.some((one) => name.includes(one)));
const [seed, minutes, kills] = [Number(values.seed), Number(values.minutes), Number(values.kills ?? 0)];
if (!Number.isSafeInteger(seed) || !(minutes > 0) || !Number.isSafeInteger(kills) || kills < 0 || asked.length === 0) {
  const known = faults.map(({ name }) => `  ${name}\n`).join('');
  process.stderr.write(
    `npm run chaos -- --seed S [--minutes M] [--kills N] [--only WORDS,WORDS] [--short] [--out FILE]: S a whole number; M minutes at least, and from then on what kills until N were killed; WORDS of the name of a fault:\n${known}`,
  );
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const untilMs = Date.now() + minutes * 60_000;
const canFill = process.platform === 'linux' && process.getuid?.() === 0;
const chosen = asked.filter(({ needsDisks }) => needsDisks !== true || canFill);
if (chosen.length < asked.length) say('left out, since only root on Linux can make small disks: those of a full disk');
if (chosen.length === 0) process.exit(1);
const attacked = await attackedDeployment({ withDisks: chosen.some(({ needsDisks }) => needsDisks) });
say(`deployment at ${attacked.deployment.address}, data in ${attacked.deployment.data}`);
const killed = (injuries: readonly Injury[]) => injuries.reduce((sum, one) => sum + one.kills, 0);
const tell = (report: ChaosReport) => {
  const text = `seed ${seed}\n\n${table(report)}\n`;
  if (values.out !== undefined) writeFileSync(values.out, text);
  return text;
};
const end = async (code: number): Promise<never> => {
  if (code === 1) {
    // The rest of the data goes; what processes and engines said is what anybody will ask for.
    const kept = mkdtempSync(join(tmpdir(), 'chaos-logs-'));
    const folders = [attacked.deployment.data, ...Object.values(attacked.disks ?? {}).map(({ folder }) => folder)];
    for (const folder of folders) {
      const logs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
        (name) => name.endsWith('.log') && !/\/\d+\.log$/.test(name),
      );
      for (const name of logs) copyFileSync(join(folder, name), join(kept, name.replaceAll('/', '-')));
    }
    say(`what processes and engines said is kept in ${kept}`);
  }
  await attacked.close();
  process.exit(code);
};
process.once('SIGINT', () => void end(130));
try {
  const killing = chosen.filter((fault) => killingFaults.includes(fault));
  const chosenNow = () => (Date.now() > untilMs && killing.length > 0 ? killing : chosen);
  const report = await chaos(attacked, {
    ...{
      seed,
      say,
      chosen: chosenNow,
      faultsInARound: Math.max(4, chosen.length),
      batchesAFault: values.short ? 4 : 12,
      readyWithinMs: 5_000,
    },
    isOver: (_round, injuries) => Date.now() > untilMs && killed(injuries) >= kills,
    onRound: (sofar) => say(tell(sofar)),
    pace: values.short ? shortPace : { stoppedMs: 30_000, awayMs: 6_000 },
  });
  process.stdout.write(tell(report));
  await end(report.violations.length === 0 ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  await end(1);
}
