/** Who may know whom. The map is docs/architecture.md; this file makes it true. */
const lib = (name) => `^libs/${name}/`;
const app = (name) => `^apps/${name}/`;
const pkg = (...names) => `node_modules/(${names.join('|')})(/|$)`;
const forbid = (name, from, to) => ({ name, severity: 'error', from, to });
const only = (name, from, allowed) => forbid(name, { path: from, pathNot: specs }, { path: '^(libs|apps)/', pathNot: [from, ...allowed] });
const except = (...pathNot) => ({ path: '^(libs|apps)/', pathNot });

const apps = ['experiments', 'assignment', 'ingestion', 'analysis', 'dashboard', 'launcher', 'cli'];
const specs = '\\.(spec|int-spec|kafka-spec|contract)\\.ts$';
const adapter = '/(memory|postgres|kafka|clickhouse|configured)-(event|feedback)-(store|log)\\.ts$';
const errors = '^libs/domain/src/errors\\.ts$'; // a door of its own: @rampart/domain/errors
const npmOrCore = ['npm', 'npm-dev', 'core', 'npm-no-pkg', 'npm-unknown'];

export const forbidden = [
  forbid('every-import-resolves', {}, { couldNotResolve: true }), // else every rule below passes by knowing nothing
  forbid('no-cycles', {}, { circular: true }),

  only('statistics-is-a-leaf', lib('statistics'), []),
  only('assignment-is-a-leaf', lib('assignment'), []),
  only('contracts-is-a-leaf', lib('contracts'), []),
  only('domain-knows-statistics-and-assignment-only', lib('domain'), [lib('statistics'), lib('assignment')]),
  only('event-store-knows-domain-only', lib('event-store'), [lib('domain')]),
  only('event-log-knows-contracts-only', lib('event-log'), [lib('contracts')]),
  only('feedback-rows-know-contracts-and-event-log', lib('feedback-rows'), [lib('contracts'), lib('event-log')]),
  only('feedback-store-knows-domain-and-contracts', lib('feedback-store'), [lib('domain'), lib('contracts')]),
  only('service-kit-knows-domain-errors-only', lib('service-kit'), [errors]),
  only('cli-knows-contracts-only', app('cli'), [lib('contracts')]),
  only('dashboard-knows-contracts-only', app('dashboard'), [lib('contracts')]),
  only('launcher-starts-processes-and-imports-nobody', app('launcher'), []),
  ...apps.map((name) => forbid(`apps-never-import-apps (${name})`, { path: app(name) }, { path: '^apps/', pathNot: app(name) })),
  forbid('only-experiments-reaches-the-event-store', except(app('experiments'), lib('event-store')), { path: lib('event-store') }),
  forbid('only-analysis-reaches-the-feedback-store', except(app('analysis'), lib('feedback-store')), { path: lib('feedback-store') }),

  forbid(
    'pure-libs-have-no-packages',
    { path: '^libs/(domain|statistics|assignment)/src', pathNot: specs },
    { dependencyTypes: npmOrCore, pathNot: pkg('jstat') },
  ),
  forbid(
    'contracts-have-zod-and-nothing-else',
    { path: '^libs/contracts/src', pathNot: [specs, '/(pseudonyms|backups)\\.ts$'] },
    { dependencyTypes: npmOrCore, pathNot: pkg('zod') },
  ),
  forbid('jstat-stays-in-distributions', except('^libs/statistics/src/distributions\\.ts$', specs), { path: pkg('jstat') }),
  forbid('nest-stays-in-apps-and-service-kit', { path: '^libs/', pathNot: lib('service-kit') }, { path: 'node_modules/@nestjs/' }),
  forbid(
    'databases-stay-in-adapters',
    except('\\.(entities|store|module)\\.ts$', 'migrations/', '/postgres-[^/]+\\.ts$', '/embedded-[^/]+\\.ts$', specs),
    { path: pkg('typeorm', 'pg') },
  ),
  forbid('clickhouse-stays-in-its-adapter', except('^libs/feedback-store/src/clickhouse-[^/]+\\.ts$', specs), {
    path: pkg('@clickhouse/client'),
  }),
  forbid('lmdb-stays-in-assignment', except(app('assignment')), { path: pkg('lmdb') }),
  forbid(
    'evaluation-reaches-no-database', // what is asked of it while the log is away
    { path: '^apps/assignment/src/evaluation/', pathNot: specs },
    { path: [pkg('typeorm', 'pg', 'kafkajs', '@clickhouse/client', 'lmdb'), lib('event-store'), lib('feedback-store')], reachable: true },
  ),
  forbid(
    'kafka-stays-in-its-adapter',
    except('^libs/event-log/src/kafka-[^/]+\\.ts$', '^libs/event-log/src/kafka/kafka-[^/]+\\.ts$', specs),
    { path: pkg('kafkajs') },
  ),
  forbid(
    'adapters-are-wired-only-in-modules',
    except('\\.module\\.ts$', '/(rebuild|restore|main)\\.ts$', '/index\\.ts$', '/configured-event-log\\.ts$', specs),
    {
      path: adapter,
    },
  ),
  forbid(
    'no-deep-imports',
    { path: '^(apps|libs)/([^/]+)/' },
    {
      path: '^libs/([^/]+)/src/',
      pathNot: [
        '^libs/$2/',
        '^libs/[^/]+/src/index\\.ts$',
        '^libs/contracts/src/(pseudonyms|backups)\\.ts$',
        '^libs/service-kit/src/running/start\\.ts$',
        adapter,
        errors,
      ],
    },
  ),
];

/** What the libraries of rules must not reach for: the clock, chance, the environment, the console. */
export const purePaths = /^libs\/(domain|statistics|assignment|contracts)\/src\//;
export const impure = /\b(Date\.now|new Date\(\)|Math\.random|process\.(env|hrtime|stdout)|console\.|performance\.now)/;
export const bannedRooms = new Set([
  'utils',
  'util',
  'helpers',
  'common',
  'shared',
  'core',
  'types',
  'interfaces',
  'dtos',
  'base',
  'misc',
  'lib',
]);
export const longestFile = 500;
/** Fewer means that the tool looked at nothing, whatever it says. */
export const fewestModules = 100;
