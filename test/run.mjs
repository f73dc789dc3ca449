/**
 * Runs the tests: `node test/run.mjs all|pure|int|kafka|journeys|dependencies [Jest's own arguments, e.g. a path]`.
 * Starts the servers that a tier needs, sums up, and says in its last lines what could not run here. With CI=true such a gap is a failure.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { areBundlesCurrent, makeBundles } from '../infra/setup/bundles.mjs';
import { ensureChromium } from '../infra/setup/chromium.mjs';
import { checkedDependencies } from '../infra/setup/dependency-check.mjs';
import { missingTools } from '../infra/setup/packaging-tools.mjs';

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'rampart-test-'));
chmodSync(scratch, 0o755); // as root, PostgreSQL runs as another user and must get in
const [tier = 'all', ...jestArguments] = process.argv.slice(2);

/** What every part leaves: { name, passed, failed, skipped, seconds, failures: [test], gaps: [sentence], missing: [sentence] }. */
const parts = [];
const engines = [];
/** Said at the end whatever the outcome: no failure, and no gap that a machine without a network could close. */
const notes = [];
let endJest;
const longestMinutes = { pure: 10, int: 20, kafka: 15, journeys: Number(process.env.RAMPART_JOURNEYS_MINUTES ?? 45) };
/** Of a test or hook that names no limit of its own: a busy machine is no failure. */
const PATIENT = ['--testTimeout', '30000'];
const MOST_PATIENT = ['--testTimeout', '60000'];

const folder = (name) => {
  const path = join(scratch, name);
  mkdirSync(path, { recursive: true });
  return path;
};

const jest = (project, { env = {}, args = [], report }) =>
  new Promise((done) => {
    const child = spawn(
      process.execPath,
      // biome-ignore format: one option a line reads worse
      [join(root, 'node_modules/jest/bin/jest.js'), '--config', join(root, 'test/jest.config.mjs'), '--selectProjects', project,
        '--passWithNoTests', '--json', `--outputFile=${report}`, ...args, ...jestArguments],
      {
        cwd: root,
        // Jest prints its JSON to stdout as well: people read stderr, where the progress is.
        stdio: ['ignore', 'ignore', 'inherit'],
        detached: true, // a group of its own, so that its workers can be ended with it
        env: { ...process.env, ...env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim() },
      },
    );
    endJest = (signal) => process.kill(-child.pid, signal);
    // An endless loop in a test outlives Jest's own timeouts.
    const limit = setTimeout(() => {
      console.error(`\n${project} did not end within ${longestMinutes[project]} minutes: killed.`);
      endJest('SIGKILL');
    }, longestMinutes[project] * 60_000);
    child.on('exit', (code) => {
      clearTimeout(limit);
      endJest = undefined;
      done(code ?? 1);
    });
  });

const titlesOfSkipped = (suites) =>
  suites.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'pending' || status === 'todo' || status === 'disabled')
      .map(({ fullName }) => `${relative(root, name)}: skipped "${fullName}"`),
  );

/** None of its tests failed, and yet it did: it could not be loaded, or something was thrown that no test waited for. */
const isBroken = ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed');

const titlesOfFailed = (suites) =>
  suites.flatMap(({ name, status, assertionResults }) => {
    const file = relative(root, name);
    if (isBroken({ status, assertionResults })) return [`${file}: ended by an error outside of its tests`];
    return assertionResults.filter((one) => one.status === 'failed').map(({ fullName }) => `${file}: "${fullName}"`);
  });

const summary = (report, code) => {
  const ended = 'Jest ended without a report';
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, failures: [ended], gaps: [], missing: [] };
  const found = JSON.parse(readFileSync(report, 'utf8'));
  const broken = found.testResults.filter(isBroken).length;
  const failed = found.numFailedTests + broken;
  const failures = titlesOfFailed(found.testResults);
  return {
    passed: found.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: found.numPendingTests + found.numTodoTests,
    failures: failed === 0 && code !== 0 ? [`Jest ended with exit code ${code}`] : failures,
    gaps: found.numTotalTests + broken === 0 ? ['there is no such test'] : titlesOfSkipped(found.testResults),
    missing: missingTools(found.testResults.map((one) => one.name)),
  };
};

const part = async (name, project, options = {}) => {
  console.error(`\n── ${name}`);
  const startedAt = Date.now();
  const report = join(scratch, `${parts.length}.json`);
  const code = await jest(project, { ...options, report });
  parts.push({ name, ...summary(report, code), seconds: (Date.now() - startedAt) / 1000 });
};

/** Starts one engine; its failure is a gap of this part, not the end of the run. */
const started = async (what, start) => {
  try {
    const engine = await start();
    engines.push(engine);
    await engine.supervised.whenReady(60_000);
    return { url: engine.url(), version: engine.version };
  } catch (error) {
    return { gap: `no ${what}: ${error instanceof Error ? error.message : error}` };
  }
};

const launcher = (file) => import(join(root, 'apps/launcher/dist/engines', file));
const postgresIn = (name, binaries) =>
  started('PostgreSQL', async () => {
    const { embeddedPostgres } = await launcher('embedded-postgres.js');
    return embeddedPostgres({ folder: folder(name), logFile: join(folder(name), 'postgres.log'), binaries });
  });
const clickhouseIn = (name) =>
  started('ClickHouse', async () => {
    const { embeddedClickhouse } = await launcher('embedded-clickhouse.js');
    return embeddedClickhouse({ folder: folder(name), logFile: join(folder(name), 'clickhouse.log') });
  });

const stopEngines = async () => {
  await Promise.all(engines.splice(0).map(({ supervised }) => supervised.stop(10_000)));
};

/** The newest PostgreSQL that the system's package manager installed. */
const debianPostgres = () => {
  const home = '/usr/lib/postgresql';
  const version = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a))[0] : undefined;
  const bin = join(home, version ?? '-', 'bin');
  return existsSync(join(bin, 'initdb')) ? { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') } : undefined;
};

const absent = (name, gap) => parts.push({ name, passed: 0, failed: 0, skipped: 0, seconds: 0, failures: [], gaps: [gap], missing: [] });

const integration = async () => {
  const [postgres, clickhouse] = await Promise.all([postgresIn('embedded'), clickhouseIn('embedded')]);
  const env = { RAMPART_TEST_DATABASE_URL: postgres.url ?? '', RAMPART_TEST_CLICKHOUSE_URL: clickhouse.url ?? '' };
  const missing = [postgres.gap, clickhouse.gap].filter((gap) => gap !== undefined);
  for (const gap of missing) absent('int', gap);
  if (postgres.gap === undefined) {
    const with_ = `embedded PostgreSQL ${postgres.version}${clickhouse.gap === undefined ? `, ClickHouse ${clickhouse.version}` : ''}`;
    await part(`int (${with_})`, 'int', { env, args: PATIENT });
  }
  await stopEngines();
};

/** The two stores that promise any PostgreSQL from version 15 on, against a server of its own. */
const storesElsewhere = async () => {
  const debian = debianPostgres();
  const own = await postgresIn('own', debian);
  const label = debian === undefined ? 'the embedded one, started apart: the system has none' : 'the system’s own';
  if (own.gap !== undefined) absent(`int: log and event store (PostgreSQL, ${label})`, own.gap);
  else {
    const args = [...PATIENT, '--testPathPatterns', 'libs/(event-log|event-store)/'];
    const env = { RAMPART_TEST_DATABASE_URL: own.url, RAMPART_TEST_CLICKHOUSE_URL: '' };
    await part(`int: log and event store (PostgreSQL ${own.version}, ${label})`, 'int', { env, args });
  }
  await stopEngines();
};

/** What Kafka needs here and lacks, as a sentence; Maven fetches the broker at the first call on a machine. */
const kafkaGap = async () => {
  try {
    const { brokerJars, checkJava } = await import(join(root, 'infra/kafka/jars.mjs'));
    checkJava();
    await brokerJars();
    return undefined;
  } catch (error) {
    return `no Kafka: ${error instanceof Error ? error.message : error}`;
  }
};

/** Suites of the Kafka adapter and of the services on it; those that kill brokers start their own. */
const onKafka = async () => {
  const gap = await kafkaGap();
  if (gap !== undefined) return absent('kafka', gap);
  const { startBrokers } = await import(join(root, 'infra/kafka/brokers.mjs'));
  const running = await startBrokers({ brokers: 1, data: folder('kafka') });
  // Its data are scratch: it need not end in good order.
  engines.push({ supervised: { stop: () => running.kill(0) } });
  // A broker needs moments of its own: to make a topic, to share a group anew.
  await part('kafka', 'kafka', { env: { RAMPART_TEST_KAFKA: running.brokers }, args: ['--testTimeout', '30000'] });
  await stopEngines();
};

/** The journeys that prove most about the other log: each with a broker and a PostgreSQL of its own. */
const journeysOnKafka = async () => {
  const gap = await kafkaGap();
  if (gap !== undefined) return absent('journeys on Kafka', gap);
  // Each keeps both cores busy with brokers of its own: side by side they take as long.
  const args = ['--runInBand', ...MOST_PATIENT, '--testPathPatterns', 'journeys/(raw-events|logs-agree|disturbed|deployment|chaos)\\.'];
  await part('journeys on Kafka', 'journeys', { env: { RAMPART_JOURNEY_LOG: 'kafka' }, args });
};

/** What goes on beside the tests, with how long it took by itself. */
const timed = (answer) => {
  const startedAt = Date.now();
  const tookSeconds = () => (Date.now() - startedAt) / 1000;
  return { answer, seconds: answer.then(tookSeconds, tookSeconds) };
};

/** Asked while the tests run: a registry that is away is waited for. */
const asking = ['all', 'dependencies'].includes(tier) ? timed(checkedDependencies()) : undefined;

const dependencies = async () => {
  const { exitCode, isChecked, lines } = await asking.answer;
  const failures = exitCode === 0 ? [] : lines.slice(0, -1);
  notes.push(isChecked ? `Dependencies: ${lines.at(-1)}` : `!! ${lines.at(-1)}`);
  const counts = { passed: isChecked && failures.length === 0 ? 1 : 0, failed: failures.length, skipped: isChecked ? 0 : 1 };
  parts.push({ name: 'dependencies', ...counts, failures, gaps: [], missing: [], seconds: await asking.seconds });
};

const tiers = {
  pure: () => part('pure', 'pure'),
  int: async () => {
    await integration();
    if (jestArguments.length === 0) await storesElsewhere();
  },
  kafka: onKafka,
  journeys: async () => {
    ensureChromium();
    await part('journeys', 'journeys', { args: MOST_PATIENT });
    // With RAMPART_JOURNEY_LOG=kafka they all were on Kafka already.
    if (jestArguments.length === 0 && process.env.RAMPART_JOURNEY_LOG !== 'kafka') await journeysOnKafka();
  },
  dependencies,
};

const table = () => {
  const width = Math.max(...parts.map(({ name }) => name.length));
  console.log(`\n${'part'.padEnd(width)}   passed  failed  skipped   seconds`);
  for (const { name, passed, failed, skipped, seconds } of parts) {
    const figures = [passed, failed, skipped].map((n) => String(n).padStart(8)).join('');
    console.log(`${name.padEnd(width)} ${figures} ${seconds.toFixed(1).padStart(10)}`);
  }
};

const report = () => {
  table();
  const sum = (key) => parts.reduce((total, one) => total + one[key], 0);
  const gaps = parts.flatMap(({ name, gaps }) => gaps.map((gap) => `  ${name}: ${gap}`));
  const failures = parts.flatMap(({ name, failures }) => failures.map((failure) => `  ${name}: ${failure}`));
  const missing = parts.flatMap((one) => one.missing.map((what) => `  ${what}`));
  const isCi = process.env.CI === 'true';
  if (gaps.length > 0) console.log(`\nCould not run here${isCi ? ' (a failure, since CI=true)' : ''}:\n${gaps.join('\n')}`);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`);
  if (missing.length > 0) console.log(`\nTools that this machine lacks (no failure):\n${missing.join('\n')}`);
  for (const note of notes) console.log(`\n${note}`);
  const isAll = gaps.length === 0 && missing.length === 0 && sum('skipped') === 0;
  console.log(`${isAll ? '\nNothing was left out.\n' : ''}${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  return sum('failed') > 0 || (isCi && gaps.length > 0) ? 1 : 0;
};

/** As root a cluster may have gone where its user can reach it. */
const cleanUp = () => {
  for (const name of ['embedded', 'own']) {
    const record = join(scratch, name, 'postgres-place');
    if (existsSync(record)) rmSync(dirname(readFileSync(record, 'utf8').trim()), { recursive: true, force: true });
  }
  rmSync(scratch, { recursive: true, force: true });
};

const chosen = tier === 'all' ? Object.keys(tiers) : [tier];
if (!chosen.every((name) => name in tiers)) {
  console.error(`Which tests? ${['all', ...Object.keys(tiers)].join(' | ')}`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, async () => {
    endJest?.('SIGKILL');
    await stopEngines();
    cleanUp();
    process.exit(130);
  });
}
// After a bare `tsc -b` the services would start from their modules, one by one.
if (!['pure', 'dependencies'].includes(tier) && !areBundlesCurrent()) await makeBundles();
for (const name of chosen) await tiers[name]();
cleanUp();
process.exitCode = report();
