/** `npm run chaos -- --seed S [--minutes M] [--only WORDS] [--short]`: faults under load on the distributed deployment, then a table. Exit code 1 where anything was violated. */
import { parseArgs } from 'node:util';
import { attackedDeployment } from './attacked.js';
import { faults, shortFaults, shortPace } from './faults.js';
import { chaos, table } from './run.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});
const chosen = (values.short ? shortFaults : faults).filter(({ name }) => name.includes(values.only ?? ''));
const [seed, minutes] = [Number(values.seed), Number(values.minutes)];
if (!Number.isSafeInteger(seed) || !(minutes > 0) || chosen.length === 0) {
  const known = faults.map(({ name }) => `  ${name}\n`).join('');
  process.stderr.write(
    `npm run chaos -- --seed S [--minutes M] [--only WORDS] [--short]: S a whole number, M above 0, WORDS of the name of a fault:\n${known}`,
  );
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const untilMs = Date.now() + minutes * 60_000;
const attacked = await attackedDeployment();
say(`deployment at ${attacked.deployment.address}, data in ${attacked.deployment.data}`);
const end = async (code: number): Promise<never> => {
  await attacked.close();
  process.exit(code);
};
process.once('SIGINT', () => void end(130));
try {
  const report = await chaos(attacked, {
    ...{ seed, say, chosen, faultsInARound: Math.max(4, chosen.length), batchesAFault: values.short ? 4 : 12, readyWithinMs: 5_000 },
    isOver: () => Date.now() > untilMs,
    pace: values.short ? shortPace : { stoppedMs: 30_000, awayMs: 6_000 },
  });
  process.stdout.write(`seed ${seed}\n\n${table(report)}\n`);
  await end(report.violations.length === 0 ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  await end(1);
}
