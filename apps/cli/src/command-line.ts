/** What was typed: commands, options, help; a mistyped word is answered with the one that was meant. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { usage } from './refusal.js';
import { didYouMean } from './suggestion.js';

export const HELP: Readonly<Record<string, string>> = {
  '': `rampart: import finished experiments, simulate traffic, show a demo, look after keys, rebuild what is derived, find what is wrong.

  rampart import --plan PLAN.json --data FILE.csv[.gz]   a file and a plan in, a verdict out
  rampart traffic --scenario FILE.json                   live traffic of a described kind
  rampart plan power --rate R --effect E                 how many units an experiment takes
  rampart demo                                           a shop with three rollouts to watch
  rampart open                                           a link that opens the page, signed in, once
  rampart keys admin | rotate-admin | list | create | rotate | revoke
  rampart kill FEATURE --reason WHY                      everybody gets its default variant; rampart restore takes it back
  rampart backup FOLDER                                  history, log and feedback store as of one moment, while running
  rampart restore FOLDER                                 a backup into a fresh data folder
  rampart generation [--partitions N]                    more partitions of the feedback log
  rampart units erase TYPE ID                            forget a person: every row, letter and list that names it;
                                                         rampart units erasures lists who was
  rampart replay decisions                               recount every decision record: is it still so?
  rampart rebuild [store | read-models]                  derive anew from the log what follows from it
  rampart doctor                                         what is wrong with a platform, and what to do

rampart COMMAND --help says more. The platform is the one of RAMPART_DATA (default: .rampart in the checkout),
or --address / RAMPART_ADDRESS. Exit codes: 0 done, 1 it failed, 2 it was asked wrongly.
`,
  import: `rampart import --plan PLAN.json --data FILE.csv[.gz] [options]

Defines the experiment of the plan in a historical environment of its own, sends every row as events, waits until the history is
complete, and prints population, effects and verdict. The same file again, shuffled or after an interruption, counts once.
Where no platform is running, one is started and stopped again.

  --plan FILE          what the columns mean
  --data FILE          the rows; .gz is unpacked
  --out FILE           write the whole results document as JSON
  --expect FILE        compare with reference answers; exit code 1 where a figure differs
  --project KEY        default: imports
  --address URL        platform to talk to (RAMPART_ADDRESS); the admin key is RAMPART_ADMIN_KEY, or the file of the data folder
  --keep-running       do not stop a platform that was started for this import
  --skip-bad-rows      leave out rows that cannot be read instead of refusing the file
  --max-rejected N     stop when the platform rejects more events than this; default: 100
  --check              read plan and file, say what is wrong, send nothing
`,
  traffic: `rampart traffic --scenario FILE.json [options]

Sends what the scenario describes to a running platform, at the time it happens, as services would. Defines and starts first what the
scenario defines and the platform does not know. Ctrl-C once: sends what is in hand and ends; twice: ends at once.
Exit code 0 when everything that was sent is acknowledged.

  --scenario FILE          who comes and what they do: docs/simulating.md; examples in scenarios/
  --units N, --duration S  so many units; units arrive for so many seconds (of the scenario); what they do later is still sent
  --seed N                 default: the scenario's; the same seed and start give the same events
  --start INSTANT          when the first unit may arrive; default: now. In the past: what is due is sent at once
  --speed N                time runs so much faster, in the events too
  --as-fast-as-possible    no waiting; the times of the events end about now
  --in-flight N            requests on their way at once; default: 4
  --batch N                events in a request, at most; default: 500
  --address URL            platform to talk to (RAMPART_ADDRESS); the admin key is RAMPART_ADMIN_KEY, or the file of the data folder
  --url URL                send the events there instead: ingestion itself
  --key KEY, --key-file F  a key of role emit to send with; then nothing is defined and no admin key is needed
  --report FILE            write the summary as JSON: counts per event name and arm
  --acknowledged FILE      write the ids of acknowledged events, one a line
  --check                  read the scenario, say what is wrong, send nothing
`,
  demo: `rampart demo [options]

A shop of simulated services: they ask for their features and send what happens over HTTP, like anybody's. Three rollouts in a project
of its own: one crashes and is rolled back, one is better, climbs and is released, one makes no difference. Ends with Ctrl-C.

  --visitors N         a second; default: 60
  --seed N             of what visitors do; default: 1
  --fresh              removes the project first, and begins anew
  --remove             removes the project, and ends
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  open: `rampart open

Prints a link that opens the page of the platform of this data folder, signed in with the admin key. Each works once, on this machine.
Where the platform listens to other machines too (RAMPART_HOST) there are none, and the page asks for a key.
`,
  kill: `rampart kill FEATURE --reason WHY [options]

The kill switch: within a second everybody gets the feature's default variant in one environment, whatever experiments, rollouts and
releases say. A rollout of it is held. rampart restore FEATURE --reason WHY takes it back.

  --reason WHY         kept in the history
  --environment KEY    default: production
  --project KEY        default: default
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  restore: `rampart restore FEATURE --reason WHY [options]

Takes the kill switch back: experiments and releases of the feature count again. Options as of rampart kill.

rampart restore FOLDER

Fills a fresh data folder (RAMPART_DATA) from a backup that rampart backup took, so that npm start goes on with it. Every byte is checked
before anything is written; a place that is not empty is refused. With DATABASE_URL, CLICKHOUSE_URL or KAFKA_BROKERS these are filled, and
must be empty; a Kafka that still has the log of the backup is left as it is.
Where the backup has no secret, RAMPART_SECRET must be that of the platform it was taken of.
`,
  backup: `rampart backup FOLDER [options]

Copies a running platform into a new folder: history, definitions, decisions, log and feedback store, which fit each other whatever happens
meanwhile; and, where the platform runs on this machine, its secret and admin key. The manifest is written last: a folder without it is no
backup.

  --without-log        leaves a log on Kafka to Kafka, and says where each partition ended: it can be restored beside that log only
  --address URL        platform to talk to (RAMPART_ADDRESS); the admin key is RAMPART_ADMIN_KEY, or the file of the data folder
`,
  generation: `rampart generation [--partitions N]

Opens the next generation of the feedback log of a stopped platform: positions and known times go on above all earlier ones, with N
partitions (more than before), or as many. The data folder keeps the number; services that run one by one are told RAMPART_LOG_PARTITIONS=N from then on.
`,
  keys: `rampart keys ACTION [options]

  admin                the admin key of this platform and where it is kept
  rotate-admin         replace it at once; running services notice by themselves
  list                 keys of a project
  create --name TEXT --role manager|analyst|emit|client|import [--environment KEY] [--expires INSTANT]
  rotate ID [--overlap SECONDS] [--expires INSTANT]     a new secret; the old one works on for so long
  revoke ID

  --project KEY        default: default
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  plan: `rampart plan power --rate SHARE | --mean N --sd N | --experiment KEY --metric KEY  --effect 5% | N  [options]

How many units it takes to find an effect, how long that is, and what could be found with fewer.

  --rate SHARE         control's share of units with the event: 0.1; also of a retention or a funnel
  --mean N, --sd N     control's mean, and the spread between units; of a ratio: of its value per unit, linearised
  --experiment KEY --metric KEY   as the metric was in this experiment: mean, spread, correlation with its covariate
    --project KEY, --environment KEY   where it runs; default: default, production
    --without-covariate  as if it had none
  --effect E           the smallest that must not be missed: 5% of control's mean, or 0.4 in the metric's unit
  --method M           sequential (default), group-sequential, msprt, bayesian, fixed-horizon (or --one-look)
    --looks N            planned looks of group-sequential (5), or how often somebody looks (100)
    --spending S         of group-sequential: obrien-fleming (default), pocock, or a power such as 3
    --tau N              of msprt: standard deviation of true effects, in the metric's unit
    --prior-sd 2% [--prior-mean 0] [--minimum-units N] [--expected-loss 0.25%] [--chance-to-win 0.95]   of bayesian
  --per-day N          new units of all arms a day: with it days are told
  --units N            so many will come: what would be found with them
  --power P            default: 0.8        --alpha A   default: 0.05, over all success metrics and treatments
  --treatments K       default: 1          --metrics S default: 1 success metric
  --correlation R      with the unit's value before (CUPED); default: 0
  --control-per-treatment N   control units per treatment unit; default: 1
  --one-sided          only better counts, as in every decision
  --json               the whole answer
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  rebuild: `rampart rebuild [store | read-models]

  store                fills another feedback store from the log's beginning: the same sums, the same digests
  read-models          derives lists anew from the history of events, and publishes what the log lacks
  (neither)            both

The platform must be running, with one analysis process. What was there serves until the new has everything, and takes its place.
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  units: `rampart units erase TYPE ID [options]
rampart units erasures [options]

  erase                what one environment knows of a unit vanishes, and it waits until every store is done; what comes later counts anew.
                       Decisions keep their sums; docs/erasing.md says what stays, and what to do about disks and copies
  erasures             those of the project, newest first, and how far each is

  --environment KEY    default: production
  --project KEY        default: default
  --no-wait            print the id of the erasure and end
  --json               the whole answer
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  replay: `rampart replay decisions [options]

Recounts every decision record from the rows, judges it again, and compares both digests with what it recorded; holds the log's records against
the control plane's history besides. A record of which anything was altered is named, and so are the sums that other rows give; then the rows
behind them are held against the log, and those that the store has otherwise are named; those that were left out are told.
Exit code 0 when all are the same, or can't be recounted because rows were expired by configuration or units erased; 1 otherwise.

  --since INSTANT      only records that were appended then or later
  --experiment KEY, --environment KEY, --project KEY     only theirs; default: all
  --without-rows       leaves the rows alone: looking for them reads the log once for each comparison, five at most
  --json               every record with what was found
  --address URL        platform to talk to (RAMPART_ADDRESS)
`,
  doctor: `rampart doctor [options]

Asks every service, and the engines by way of them: are they there, of which version, how far are their clocks off, how full their disks;
how old is what is known, and how far is the store behind the log. Says what is wrong and what to do about it. Changes nothing.
Exit code 0 when nothing is wrong, 1 otherwise.

  --json               facts and findings as JSON
  --min-free-gib N     least room on every disk; default: 2 (and 5 %)
  --max-skew-s N       most that clocks may differ; default: 1
  --max-age-s N        most that log, definitions and store may be old; default: 15
  --max-lag N          most messages that the store may be behind in a partition; default: 1000
  --address URL        platform to talk to (RAMPART_ADDRESS); the admin key is RAMPART_ADMIN_KEY, or the file of the data folder
`,
};

const SWITCH_OPTIONS = {
  reason: { type: 'string' },
  environment: { type: 'string', default: 'production' },
  project: { type: 'string', default: 'default' },
  address: { type: 'string' },
} as const;

const OPTIONS = {
  import: {
    plan: { type: 'string' },
    data: { type: 'string' },
    out: { type: 'string' },
    expect: { type: 'string' },
    project: { type: 'string', default: 'imports' },
    address: { type: 'string' },
    'keep-running': { type: 'boolean', default: false },
    'skip-bad-rows': { type: 'boolean', default: false },
    'max-rejected': { type: 'string', default: '100' },
    check: { type: 'boolean', default: false },
  },
  traffic: {
    scenario: { type: 'string' },
    units: { type: 'string' },
    duration: { type: 'string' },
    seed: { type: 'string' },
    start: { type: 'string' },
    speed: { type: 'string' },
    'as-fast-as-possible': { type: 'boolean', default: false },
    'in-flight': { type: 'string' },
    batch: { type: 'string' },
    address: { type: 'string' },
    url: { type: 'string' },
    key: { type: 'string' },
    'key-file': { type: 'string' },
    report: { type: 'string' },
    acknowledged: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
  keys: {
    project: { type: 'string' },
    name: { type: 'string' },
    role: { type: 'string' },
    environment: { type: 'string' },
    expires: { type: 'string' },
    overlap: { type: 'string' },
    address: { type: 'string' },
  },
  open: {},
  kill: SWITCH_OPTIONS,
  restore: SWITCH_OPTIONS,
  demo: {
    visitors: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    remove: { type: 'boolean', default: false },
    address: { type: 'string' },
  },
  plan: {
    experiment: { type: 'string' },
    metric: { type: 'string' },
    project: { type: 'string' },
    environment: { type: 'string' },
    'without-covariate': { type: 'boolean', default: false },
    method: { type: 'string' },
    looks: { type: 'string' },
    spending: { type: 'string' },
    tau: { type: 'string' },
    'prior-mean': { type: 'string' },
    'prior-sd': { type: 'string' },
    'minimum-units': { type: 'string' },
    'expected-loss': { type: 'string' },
    'chance-to-win': { type: 'string' },
    rate: { type: 'string' },
    mean: { type: 'string' },
    sd: { type: 'string' },
    effect: { type: 'string' },
    'per-day': { type: 'string' },
    units: { type: 'string' },
    power: { type: 'string' },
    alpha: { type: 'string' },
    treatments: { type: 'string' },
    metrics: { type: 'string' },
    correlation: { type: 'string' },
    'control-per-treatment': { type: 'string' },
    'one-look': { type: 'boolean', default: false },
    'one-sided': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    address: { type: 'string' },
  },
  generation: { partitions: { type: 'string' } },
  backup: { 'without-log': { type: 'boolean', default: false }, address: { type: 'string' } },
  replay: {
    'without-rows': { type: 'boolean', default: false },
    since: { type: 'string' },
    experiment: { type: 'string' },
    environment: { type: 'string' },
    project: { type: 'string' },
    json: { type: 'boolean', default: false },
    address: { type: 'string' },
  },
  units: {
    environment: { type: 'string', default: 'production' },
    project: { type: 'string', default: 'default' },
    'no-wait': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    address: { type: 'string' },
  },
  rebuild: { address: { type: 'string' } },
  doctor: {
    json: { type: 'boolean', default: false },
    'min-free-gib': { type: 'string' },
    'max-skew-s': { type: 'string' },
    'max-age-s': { type: 'string' },
    'max-lag': { type: 'string' },
    address: { type: 'string' },
  },
} as const satisfies Record<string, ParseArgsConfig['options']>;

export type CommandName = keyof typeof OPTIONS;
export interface Typed {
  readonly command: CommandName;
  readonly words: readonly string[];
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, boolean>>;
}

/** @returns the command with its options, or the help that was asked for. @throws Refusal (exit code 2) */
export const readCommandLine = (argv: readonly string[]): Typed | { readonly help: string } => {
  const [command, ...rest] = argv;
  if (command === undefined || command === '--help' || command === '-h' || command === 'help')
    return { help: HELP[rest[0] ?? ''] ?? HELP[''] ?? '' };
  const names = Object.keys(OPTIONS);
  if (!names.includes(command))
    throw usage(`There is no command "${command}".${didYouMean(command, names)} Commands: ${names.join(', ')}.`);
  const known = command as CommandName;
  if (rest.includes('--help') || rest.includes('-h')) return { help: HELP[known] ?? '' };
  const options: NonNullable<ParseArgsConfig['options']> = OPTIONS[known];
  checkOptions(rest, known, options);
  const { values, positionals } = parsed(rest, options);
  const texts = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const flags = Object.entries(values).filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean');
  return { command: known, words: positionals, texts: Object.fromEntries(texts), flags: Object.fromEntries(flags) };
};

const parsed = (args: readonly string[], options: NonNullable<ParseArgsConfig['options']>) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
};

const checkOptions = (args: readonly string[], command: string, options: object): void => {
  for (const word of args) {
    const name = /^--([^=]+)/.exec(word)?.[1];
    if (name === undefined || Object.hasOwn(options, name)) continue;
    const nearest = didYouMean(
      `--${name}`,
      Object.keys(options).map((one) => `--${one}`),
    );
    throw usage(`rampart ${command} has no option "--${name}".${nearest} See rampart ${command} --help.`);
  }
};
