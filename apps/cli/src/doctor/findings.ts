/** What the facts mean: what is wrong, with both numbers, and what to do about it. Pure: the same facts, the same findings. */
import type { Freshness } from '@rampart/contracts';
import { type AskedService, DEFAULT_LIMITS, type Facts, type FolderFact, type Limits } from './facts.js';

export interface Finding {
  /** For programs. */
  readonly code:
    | 'process-down'
    | 'port-closed'
    | 'key-denied'
    | 'service-unreachable'
    | 'service-not-ready'
    | 'trouble-noted'
    | 'engine-unreachable'
    | 'engine-too-old'
    | 'node-too-old'
    | 'versions-differ'
    | 'clock-off'
    | 'disk-full'
    | 'folder-lost'
    | 'folder-not-writable'
    | 'freshness-unknown'
    | 'hop-late'
    | 'hop-trouble'
    | 'partition-behind';
  readonly subject: string;
  readonly sentence: string;
  readonly action: string;
}

type Reached = Extract<AskedService, { error: null }>;

const reachedOf = ({ services }: Facts): readonly Reached[] => services.filter((one): one is Reached => one.error === null);

/** In the order in which one would look: what is down first, since most of the rest follows from it. */
export const findingsOf = (facts: Facts, limits: Limits = DEFAULT_LIMITS): readonly Finding[] => [
  ...processes(facts),
  ...denied(facts),
  ...unreachable(facts),
  ...engines(facts),
  ...readiness(facts),
  ...disks(facts, limits),
  ...clocks(facts, limits),
  ...versions(facts),
  ...freshness(facts.freshness, limits),
];

const processes = ({ local }: Facts): readonly Finding[] =>
  (local?.processes ?? []).flatMap(({ name, pid, isAlive, port, isListening }): readonly Finding[] => {
    if (isAlive && isListening) return [];
    if (isAlive)
      return [
        {
          code: 'port-closed',
          subject: name,
          sentence: `the process ${pid} of ${name} lives, and takes no connections at ${port === null ? 'any port yet' : `port ${port}`}`,
          action: `It is starting, or hangs: logs/${name}.log in the data folder says which.`,
        },
      ];
    return [
      {
        code: 'process-down',
        subject: name,
        sentence: pid === null ? `${name} has no process at the moment` : `the process ${pid} of ${name} is gone`,
        action: `The launcher starts it again by itself; if it does not stay, logs/${name}.log in the data folder says why.`,
      },
    ];
  });

const isDenied = (error: string | null): boolean => /^status 40[13]:/.test(error ?? '');

/** One finding in place of one for each service. */
const denied = ({ services, address }: Facts): readonly Finding[] => {
  const error = services.find((one) => isDenied(one.error))?.error ?? null;
  if (error === null) return [];
  return [
    {
      code: 'key-denied',
      subject: 'admin key',
      sentence: `the admin key is not that of the platform at ${address}: ${error}`,
      action: 'Set RAMPART_ADMIN_KEY to it, or RAMPART_DATA to the data folder of the platform.',
    },
  ];
};

const unreachable = ({ services, address }: Facts): readonly Finding[] =>
  services.flatMap((one) =>
    one.error === null || isDenied(one.error)
      ? []
      : [
          {
            code: 'service-unreachable' as const,
            subject: one.name,
            sentence: `${one.name} did not answer at ${address}: ${one.error}`,
            action: 'Is its process running, and does the front door know its address? Its last log lines say why it ended.',
          },
        ],
  );

const OLDEST: Readonly<Record<string, number>> = { postgresql: 15 };
const ENGINE_ACTION =
  'Start it, or mend its address in the configuration of the service. What waits for it is kept, and goes on by itself.';
const ENGINE_ACTIONS: Readonly<Record<string, string>> = {
  kafka:
    'Start its brokers, or mend KAFKA_BROKERS and what KAFKA_TLS and KAFKA_SASL say in the configuration of the service. Brokers that answer have to be reachable by the addresses that they advertise, too. What waits for them is kept, and goes on by itself.',
};

const engines = (facts: Facts): readonly Finding[] =>
  reachedOf(facts).flatMap(({ name: service, diagnosis }) =>
    diagnosis.engines.flatMap((engine): readonly Finding[] => {
      if (engine.error !== null)
        return [
          {
            code: 'engine-unreachable',
            subject: engine.name,
            sentence: `${service} does not reach ${engine.name}: ${engine.error}`,
            action: ENGINE_ACTIONS[engine.name] ?? ENGINE_ACTION,
          },
        ];
      const oldest = OLDEST[engine.name] ?? 0;
      const major = Number.parseInt(engine.version ?? '', 10);
      if (Number.isNaN(major) || major >= oldest) return [];
      const sentence = `${engine.name} is ${engine.version}, and ${oldest} is the oldest that is supported`;
      return [{ code: 'engine-too-old', subject: engine.name, sentence, action: `Upgrade ${engine.name}.` }];
    }),
  );

const readiness = (facts: Facts): readonly Finding[] =>
  reachedOf(facts).flatMap(({ name, diagnosis }) => [
    ...Object.entries(diagnosis.reasons).map(([check, reason]) => ({
      code: 'service-not-ready' as const,
      subject: name,
      sentence: `${name} is not ready (${check}): ${reason}`,
      action: 'Mend what the reason names; the service becomes ready by itself.',
    })),
    ...Object.entries(diagnosis.notes).map(([note, said]) => ({
      code: 'trouble-noted' as const,
      subject: name,
      sentence: `${name} notes (${note}): ${said}`,
      action: 'It goes on working; what it names is lost or late until it is mended.',
    })),
  ]);

const GIB = 2 ** 30;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

interface Room {
  readonly subject: string;
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

const disks = (facts: Facts, limits: Limits): readonly Finding[] => {
  const folders: readonly (readonly [string, FolderFact])[] = [
    ...(facts.local === undefined ? [] : [['this machine', facts.local.folder] as const]),
    ...reachedOf(facts).flatMap(({ name, diagnosis }) => diagnosis.folders.map((folder) => [name, folder] as const)),
  ];
  const lost = folders.flatMap(([owner, folder]) => lostFolder(owner, folder));
  const rooms: Room[] = folders.flatMap(([, { what, path, freeBytes, totalBytes }]) =>
    freeBytes === undefined || totalBytes === undefined ? [] : [{ subject: what, path, freeBytes, totalBytes }],
  );
  for (const { diagnosis } of reachedOf(facts))
    for (const engine of diagnosis.engines)
      if (engine.error === null) rooms.push(...engine.disks.map((disk) => ({ subject: `the disk of ${engine.name}`, ...disk })));
  return [...lost, ...rooms.flatMap((room) => tooFull(room, limits))];
};

const lostFolder = (owner: string, { what, path, error, isWritable }: FolderFact): readonly Finding[] => {
  if (error !== null)
    return [
      {
        code: 'folder-lost',
        subject: what,
        sentence: `${what} (${path}) can't be reached by ${owner}: ${error}`,
        action: 'Mount it again, or restart the service with another folder.',
      },
    ];
  if (isWritable !== false) return [];
  return [
    {
      code: 'folder-not-writable',
      subject: what,
      sentence: `${owner} may not write to ${what} (${path})`,
      action: `Give it to the user that runs ${owner}: chown.`,
    },
  ];
};

const tooFull = ({ subject, path, freeBytes, totalBytes }: Room, { minFreeBytes, minFreeShare }: Limits): readonly Finding[] => {
  // A small disk is not nearly full for being small, nor a large one for having a small share left.
  const needed = Math.max(minFreeBytes, 0);
  const share = totalBytes === 0 ? 0 : freeBytes / totalBytes;
  if (freeBytes >= needed && share >= minFreeShare) return [];
  return [
    {
      code: 'disk-full',
      subject,
      sentence: `${subject} (${path}) has ${gib(freeBytes)} of ${gib(totalBytes)} left, ${(share * 100).toFixed(1)} %; ${gib(needed)} and ${minFreeShare * 100} % are asked for`,
      action: 'Make room or enlarge it: a full disk stops the log or the store, and drops exposures when it is the spool’s.',
    },
  ];
};

/** How far a clock is ahead: what it said, against the middle of asking it; never more certain than half of the time that took. */
const offsetOf = (saidUs: number, askedAtUs: number, answeredAtUs: number) => ({
  offsetUs: saidUs - (askedAtUs + answeredAtUs) / 2,
  uncertainUs: (answeredAtUs - askedAtUs) / 2,
});

const clocks = (facts: Facts, { mostSkewUs }: Limits): readonly Finding[] =>
  reachedOf(facts).flatMap(({ name, askedAtUs, answeredAtUs, diagnosis }) => {
    const own = offsetOf(diagnosis.nowUs, askedAtUs, answeredAtUs);
    // Its service asked the engine by its own clock.
    const others = diagnosis.engines.flatMap((engine) =>
      engine.error === null && engine.nowUs !== null
        ? [{ name: engine.name, ...offsetOf(engine.nowUs, engine.askedAtUs, engine.answeredAtUs), than: `that of ${name}` }]
        : [],
    );
    return [{ name, ...own, than: 'that of this machine' }, ...others]
      .filter(({ offsetUs, uncertainUs }) => Math.abs(offsetUs) - uncertainUs > mostSkewUs)
      .map(({ name: whose, offsetUs, than }) => ({
        code: 'clock-off' as const,
        subject: whose,
        sentence: `the clock of ${whose} is ${(Math.abs(offsetUs) / 1e6).toFixed(1)} s ${offsetUs > 0 ? 'ahead of' : 'behind'} ${than} (at most ${mostSkewUs / 1e6} s)`,
        action: 'Let NTP (chrony, systemd-timesyncd) set the clocks of both machines. Event times are corrected by them.',
      }));
  });

const OLDEST_NODE = [20, 19] as const;

const versions = (facts: Facts): readonly Finding[] => {
  const reached = reachedOf(facts);
  const found = new Map(reached.map(({ name, diagnosis }) => [name, diagnosis.version]));
  const differing: readonly Finding[] =
    new Set(found.values()).size < 2
      ? []
      : [
          {
            code: 'versions-differ',
            subject: 'services',
            sentence: `services of several versions run: ${[...found].map(([name, version]) => `${name} ${version}`).join(', ')}`,
            action: 'Finish the upgrade, or take it back.',
          },
        ];
  const old = reached.filter(({ diagnosis }) => isOlder(diagnosis.node));
  return [
    ...differing,
    ...old.map(({ name, diagnosis }) => ({
      code: 'node-too-old' as const,
      subject: name,
      sentence: `${name} runs on Node ${diagnosis.node}, and ${OLDEST_NODE.join('.')} is the oldest that is supported`,
      action: 'Upgrade Node.',
    })),
  ];
};

const isOlder = (node: string): boolean => {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
};

/** Those that move each second by themselves; the others are old where nobody sends or no verdict changes. */
const TICKING = new Set(['log', 'definitions', 'store']);
const HOP_ACTIONS: Readonly<Record<string, string>> = {
  log: 'Ingestion ticks each second: is it running, and does the log take what it sends?',
  definitions: 'Experiments ticks each second: is it running, and does the log take what it sends?',
  store: 'Is ClickHouse there and fast enough? rampart_feedback_insert_seconds of analysis shows it.',
  look: 'Harm is not seen meanwhile: the log of analysis says why looks fail.',
  record: 'The log of analysis and of experiments says why records are not appended.',
};

const freshness = (known: Freshness | { readonly error: string }, limits: Limits): readonly Finding[] => {
  // Said once, of all services.
  if ('error' in known && isDenied(known.error)) return [];
  if ('error' in known)
    return [
      {
        code: 'freshness-unknown',
        subject: 'analysis',
        sentence: `how old the results are is not known: ${known.error}`,
        action: 'Analysis answers it: mend what keeps it from answering.',
      },
    ];
  const hops = known.hops.flatMap(({ hop, ageMs, trouble }): readonly Finding[] => {
    const action = HOP_ACTIONS[hop] ?? 'The logs of the services on both sides of it say more.';
    if (trouble !== null) return [{ code: 'hop-trouble', subject: hop, sentence: `at hop ${hop}: ${trouble}`, action }];
    if (!TICKING.has(hop)) return [];
    if (ageMs === null) return [{ code: 'hop-late', subject: hop, sentence: `nothing was heard at hop ${hop} yet`, action }];
    if (ageMs <= limits.mostAgeMs) return [];
    const sentence = `what is known at hop ${hop} is ${(ageMs / 1_000).toFixed(1)} s old (at most ${limits.mostAgeMs / 1_000} s): rollouts hold`;
    return [{ code: 'hop-late', subject: hop, sentence, action }];
  });
  const behind = known.partitions
    .filter(({ lag }) => lag > limits.mostLag)
    .map(({ topic, partition, lag }) => ({
      code: 'partition-behind' as const,
      subject: `${topic}/${partition}`,
      sentence: `the store is ${lag} messages behind the log in partition ${partition} of ${topic} (at most ${limits.mostLag})`,
      action: 'It catches up by itself where the store is fast enough; if the number grows, add a process of analysis or a shard.',
    }));
  return [...hops, ...behind];
};
