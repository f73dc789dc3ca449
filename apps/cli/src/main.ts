#!/usr/bin/env node
/** The `rampart` command. */
import { setMaxListeners } from 'node:events';
import { backUp } from './backup/backup-command.js';
import { restoreBackup } from './backup/restore-command.js';
import { HELP, readCommandLine, type Typed } from './command-line.js';
import { demo, demoRequest } from './demo/demo-command.js';
import { doctor, doctorRequest } from './doctor/doctor-command.js';
import { importFile } from './import/import-command.js';
import { Progress } from './import/progress.js';
import { openGeneration } from './operations/generation-command.js';
import { type KeysRequest, keys } from './operations/keys-command.js';
import { openPage } from './operations/open-command.js';
import { planPower } from './operations/plan-command.js';
import { rebuild } from './operations/rebuild-command.js';
import { switchRequest, throwSwitch } from './operations/switch-command.js';
import { units, unitsRequest } from './operations/units-command.js';
import { Refusal, usage } from './refusal.js';
import { replayDecisions, replayRequest } from './replay/replay-command.js';
import { didYouMean } from './suggestion.js';
import { simulateTraffic, trafficRequest } from './traffic/sending/traffic-command.js';

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const run = async (argv: readonly string[]): Promise<number> => {
  const typed = readCommandLine(argv);
  if ('help' in typed) {
    process.stdout.write(typed.help);
    return 0;
  }
  if (typed.command === 'import') return runImport(typed);
  if (typed.command === 'traffic') return runTraffic(typed);
  if (typed.command === 'demo') return runDemo(typed);
  if (typed.command === 'plan') return runPlan(typed);
  if (typed.command === 'replay') return runReplay(typed);
  if (typed.command === 'units') return units(unitsRequest(typed), process.env, print);
  if (typed.command === 'doctor') return doctor(doctorRequest(typed), process.env, print);
  if (typed.command === 'backup') return runBackup(typed);
  if (typed.command === 'generation') {
    if (typed.words[0] !== undefined) throw usage(`What is "${typed.words[0]}"? rampart generation takes options only.`);
    return openGeneration(typed.texts.partitions, process.env);
  }
  if (typed.command === 'restore' && typed.texts.reason === undefined && typed.words.length === 1)
    return restoreBackup(typed.words[0] ?? '', process.env, print);
  if (typed.command === 'kill' || typed.command === 'restore')
    await throwSwitch(switchRequest({ ...typed, command: typed.command }), process.env, print);
  else if (typed.command === 'open') {
    if (typed.words[0] !== undefined) throw usage(`What is "${typed.words[0]}"? rampart open takes nothing.`);
    openPage(process.env, print);
  } else if (typed.command === 'keys') await keys(keysRequest(typed), process.env, print);
  else await runRebuild(typed);
  return 0;
};

const runImport = async ({ words, texts, flags }: Typed): Promise<number> => {
  if (words[0] !== undefined) throw usage(`What is "${words[0]}"? rampart import takes options only; see rampart import --help.`);
  const { plan, data } = texts;
  if (plan === undefined || data === undefined) throw usage(`An import needs --plan and --data.\n\n${HELP.import}`);
  const mostRejected = Number(texts['max-rejected']);
  if (!Number.isInteger(mostRejected) || mostRejected < 0) throw usage(`--max-rejected is a number, not "${texts['max-rejected']}".`);
  const stop = new AbortController();
  // Every request on its way listens.
  setMaxListeners(100, stop.signal);
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Refusal('Interrupted. Run the same command again to go on: what was sent already counts once.'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const code = await importFile(
    {
      ...{ plan, data, mostRejected },
      ...{ out: texts.out, expect: texts.expect, project: texts.project ?? 'imports', address: texts.address },
      ...{ keepRunning: flags['keep-running'] === true, skipBadRows: flags['skip-bad-rows'] === true, checkOnly: flags.check === true },
    },
    { environment: process.env, progress: new Progress(process.stderr, Date.now), print, signal: stop.signal, nowMs: Date.now },
  ).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
    complain(error instanceof Refusal ? error : stop.signal.reason);
    return 130;
  });
  return code;
};

const runPlan = async (typed: Typed): Promise<number> => {
  wordOf(typed, ['power']);
  await planPower(typed, process.env, print);
  return 0;
};

const runBackup = async (typed: Typed): Promise<number> => {
  const [folder, ...more] = typed.words;
  if (folder === undefined || more.length > 0) throw usage(`rampart backup takes one folder.\n\n${HELP.backup}`);
  const progress = new Progress(process.stderr, Date.now);
  const isWithoutLog = typed.flags['without-log'] === true;
  await backUp({ folder, address: typed.texts.address, isWithoutLog }, { environment: process.env, progress, print, nowMs: Date.now });
  return 0;
};

const REBUILT = ['read-models', 'store'] as const;

const runRebuild = (typed: Typed): Promise<void> => {
  const what = typed.words.length === 0 ? REBUILT : [wordOf(typed, REBUILT)];
  return rebuild(what, typed.texts.address, { environment: process.env, progress: new Progress(process.stderr, Date.now), print });
};

const runReplay = (typed: Typed): Promise<number> => {
  wordOf(typed, ['decisions']);
  const progress = new Progress(process.stderr, Date.now);
  return replayDecisions(replayRequest(typed), { environment: process.env, progress, print, nowMs: Date.now });
};

const runDemo = (typed: Typed): Promise<number> => {
  const request = demoRequest(typed);
  const progress = new Progress(process.stderr, Date.now, 10_000);
  return demo(request, { environment: process.env, progress, print, stop: stopOnSignal('Closing: visitors in the shop may finish.') });
};

const runTraffic = (typed: Typed): Promise<number> => {
  const request = trafficRequest(typed);
  const stop = stopOnSignal('Stopping: sending what is in hand. Once more ends it at once.');
  const progress = new Progress(process.stderr, Date.now, 900);
  return simulateTraffic(request, { environment: process.env, progress, print, stop, nowMs: Date.now });
};

/** Ctrl-C once asks to stop, twice ends it. */
const stopOnSignal = (sentence: string): AbortSignal => {
  const stop = new AbortController();
  setMaxListeners(100, stop.signal);
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write(`${sentence}\n`);
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return stop.signal;
};

const keysRequest = (typed: Typed): KeysRequest => {
  const { texts, words } = typed;
  const action = wordOf(typed, ['admin', 'rotate-admin', 'list', 'create', 'rotate', 'revoke']);
  return {
    action,
    id: words[1],
    project: texts.project,
    name: texts.name,
    role: texts.role,
    environmentKey: texts.environment,
    expires: texts.expires,
    overlap: texts.overlap,
    address: texts.address,
  };
};

const wordOf = <Word extends string>({ command, words }: Typed, known: readonly Word[]): Word => {
  const [word] = words;
  const found = known.find((one) => one === word);
  if (found !== undefined) return found;
  if (word === undefined) throw usage(`rampart ${command} needs one of ${known.join(', ')}.\n\n${HELP[command]}`);
  throw usage(`rampart ${command} knows no "${word}".${didYouMean(word, known)} It knows ${known.join(', ')}.`);
};

const complain = (error: unknown): void => {
  const text = error instanceof Refusal ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
};

/** A pipe takes what is written in its own time, and an exit does not wait for it. */
const exit = (code: number): void => {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
};

run(process.argv.slice(2)).then(exit, (error: unknown) => {
  complain(error);
  exit(error instanceof Refusal ? error.exitCode : 1);
});
