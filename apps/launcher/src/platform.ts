/** The whole: engines, services and front door, started in the order of their needs and stopped in the reverse one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminKeyFile } from './admin-key.js';
import { type Claim, claimDataFolder } from './claim.js';
import { platformSecret, prepareDataFolder } from './data-folder.js';
import { embeddedClickhouse } from './engines/embedded-clickhouse.js';
import { embeddedPostgres } from './engines/embedded-postgres.js';
import { type Engine, isEmbedded } from './engines/engine.js';
import { externalClickhouse, externalKafka, externalPostgres, kafkaTlsOf } from './engines/external-engines.js';
import { type FrontDoor, openFrontDoor } from './front-door/front-door.js';
import { PageFiles } from './front-door/page-files.js';
import type { Place } from './front-door/relay.js';
import { isLoopback } from './front-door/sign-in.js';
import { SignInCodes } from './front-door/sign-in-codes.js';
import type { ComponentStatus, PlatformStatus } from './front-door/status-page.js';
import { keepPartitions, keepToItsLog, keptPartitions } from './kept-log.js';
import { beginRestore, endRestore, refuseFilled, refuseUnfinished } from './restored-files.js';
import { removeRunFile, writeRunFile } from './run-file.js';
import { isBuilt, runProgram, type Service, type ServiceName, serviceNames, startService } from './services.js';
import type { Settings } from './settings.js';
import type { Supervised } from './supervisor.js';

const enginePatienceMs = 60_000;
/** The first start of a service on an old database may migrate it. */
const servicePatienceMs = 120_000;
const stopGraceMs = 10_000;
/** Open event streams never end by themselves. */
const doorGraceMs = 3_000;
const noteAgainMs = 1_000;

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

export class Platform {
  private readonly startedAtMs = Date.now();
  private readonly version: string;
  private readonly engines: Engine[] = [];
  private readonly services: Service[] = [];
  private folder = '';
  private keyFile = '';
  private claim: Claim | undefined;
  private door: FrontDoor | undefined;
  private isStopping = false;
  private noteAgain: NodeJS.Timeout | undefined;
  private readonly codes: SignInCodes | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly checkout: string,
    private readonly say: (line: string) => void,
  ) {
    this.version = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version;
    // Where others are listened to, a code in a terminal's history would be worth something to them.
    this.codes = isLoopback(settings.host) ? new SignInCodes(() => this.note()) : undefined;
  }

  /** Resolves when every part is ready; refuses when one will not become so. */
  async start(): Promise<void> {
    this.folder = prepareDataFolder(this.settings.dataFolder);
    refuseUnfinished(this.folder);
    this.claim = claimDataFolder(this.folder);
    const { host, port } = this.settings;
    // Before the engines: a busy port must not cost anybody a wait.
    this.door = await openFrontDoor({
      ...{ host, port, places: { placeOf: (name) => this.placeOf(name), processesOf: () => 1 }, status: () => this.status() },
      page: new PageFiles(join(this.checkout, 'apps', 'dashboard', 'dist', 'page')),
      signIn: this.codes === undefined ? undefined : { codes: this.codes, adminKey: () => this.adminKey() },
    });
    this.claim.announce(this.door.address);
    this.keyFile = adminKeyFile(this.folder);
    this.say(`Rampart ${this.version}, data in ${this.folder}`);
    keepToItsLog(this.folder, this.settings);
    const postgres = this.engine(this.postgres());
    const clickhouse = this.engine(this.clickhouse());
    const [kafka] = this.kafka();
    const log = kafka ?? postgres;
    await Promise.all([
      Promise.all([postgres, log]).then((engines) => this.service('experiments', engines)),
      log.then((engine) => this.service('assignment', [engine])),
      log.then((engine) => this.service('ingestion', [engine])),
      Promise.all([log, clickhouse]).then((engines) => this.service('analysis', engines)),
    ]);
    this.note();
    this.sayReady(this.door.address);
  }

  /** Fills a fresh data folder, or the engines that it names, from a backup. No service runs meanwhile. */
  async restore(backup: string): Promise<void> {
    refuseFilled(this.settings.dataFolder);
    this.folder = prepareDataFolder(this.settings.dataFolder);
    this.claim = claimDataFolder(this.folder);
    beginRestore(this.folder, backup, this.settings);
    this.keyFile = adminKeyFile(this.folder);
    const engines = await Promise.all([this.engine(this.postgres()), this.engine(this.clickhouse()), ...this.kafka()]);
    const environment = this.environment(engines);
    for (const name of ['experiments', 'analysis'] as const)
      this.say(`  ${await runProgram(this.checkout, { service: name, program: 'restore', args: [backup] }, environment)}`);
    endRestore(this.folder);
  }

  /** Of the feedback log, while no service runs. @param partitions  how many from now on, or `same` */
  async openGeneration(partitions: string): Promise<void> {
    this.folder = prepareDataFolder(this.settings.dataFolder);
    refuseUnfinished(this.folder);
    this.claim = claimDataFolder(this.folder);
    keepToItsLog(this.folder, this.settings);
    const environment = this.environment(await Promise.all([this.engine(this.postgres()), ...this.kafka()]));
    const args = partitions === 'same' ? [] : ['--partitions', partitions];
    this.say(await runProgram(this.checkout, { service: 'experiments', program: 'generation', args }, environment));
    if (partitions !== 'same') keepPartitions(this.folder, partitions);
  }

  async stop(): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    await this.door?.close(doorGraceMs);
    for (const name of ['ingestion', 'assignment', 'analysis', 'experiments']) {
      await this.services.find((service) => service.name === name)?.supervised.stop(stopGraceMs);
    }
    for (const name of ['clickhouse', 'postgres']) {
      const engine = this.engines.find((candidate) => candidate.name === name);
      if (engine !== undefined && isEmbedded(engine)) await engine.supervised.stop(stopGraceMs);
    }
    if (this.claim !== undefined) removeRunFile(this.folder);
    this.claim?.release();
  }

  /** Without waiting for anything. */
  kill(): void {
    clearTimeout(this.noteAgain);
    for (const supervised of this.children()) supervised.killGroup();
    if (this.claim !== undefined) removeRunFile(this.folder);
    this.claim?.release();
  }

  private postgres(): Promise<Engine> {
    const { databaseUrl } = this.settings;
    if (databaseUrl !== undefined) return externalPostgres(databaseUrl);
    return embeddedPostgres({ folder: this.folder, logFile: this.logFile('postgres') });
  }

  /** None where the log is in PostgreSQL. */
  private kafka(): readonly Promise<Engine>[] {
    const { kafkaBrokers } = this.settings;
    return kafkaBrokers.length === 0 ? [] : [this.engine(externalKafka(kafkaBrokers, undefined, kafkaTlsOf(process.env)))];
  }

  private clickhouse(): Promise<Engine> {
    const { clickhouseUrls } = this.settings;
    if (clickhouseUrls.length > 0) return externalClickhouse(clickhouseUrls);
    return embeddedClickhouse({ folder: this.folder, logFile: this.logFile('clickhouse') });
  }

  private async engine(starting: Promise<Engine>): Promise<Engine> {
    const sinceMs = Date.now();
    const engine = await starting;
    this.engines.push(engine);
    if (isEmbedded(engine)) {
      await this.ready(engine.supervised, enginePatienceMs, `${engine.name} ${engine.version}`, sinceMs);
    } else this.say(`  ${engine.name}${engine.version === undefined ? '' : ` ${engine.version}`}: yours`);
    return engine;
  }

  private async service(name: ServiceName, engines: readonly Engine[]): Promise<void> {
    if (!isBuilt(this.checkout, name)) {
      this.say(`  ${name} is not built here: left out`);
      return;
    }
    if (this.isStopping) return;
    const sinceMs = Date.now();
    const service = startService(this.checkout, name, this.logFile(name), this.environment(engines));
    this.services.push(service);
    await this.ready(service.supervised, servicePatienceMs, name, sinceMs);
  }

  private async ready(supervised: Supervised, patienceMs: number, label: string, sinceMs: number): Promise<void> {
    supervised.onChange = () => this.note();
    await supervised.whenReady(patienceMs);
    this.say(`  ${label}: ready after ${seconds(sinceMs)}`);
    let said = supervised.state;
    supervised.onChange = () => {
      this.note();
      if (supervised.state !== said) this.sayRestart(supervised);
      said = supervised.state;
    };
  }

  /** Whoever looks at the terminal need not look at the logs to know that something ended by itself. */
  private sayRestart({ name, state, ending, logPath }: Supervised): void {
    if (state === 'restarting') this.say(`  ${name} ended by itself (${ending}) and is started again; its log: ${logPath}`);
    else if (state === 'ready') this.say(`  ${name}: ready again`);
  }

  /** A service is told of the engines that it needs, and of no other. */
  private environment(engines: readonly Engine[]): NodeJS.ProcessEnv {
    const { adminKey, secret } = this.settings;
    const urlOf = (name: Engine['name']) => engines.find((engine) => engine.name === name)?.url();
    return {
      ...process.env,
      RAMPART_DATABASE_URL: urlOf('postgres'),
      RAMPART_CLICKHOUSE_URL: urlOf('clickhouse'),
      RAMPART_CLICKHOUSE_CLUSTER: this.settings.clickhouseCluster,
      KAFKA_BROKERS: urlOf('kafka'),
      // Its own door is closed first.
      RAMPART_DRAIN_MS: '0',
      RAMPART_LOG_PARTITIONS: process.env.RAMPART_LOG_PARTITIONS || keptPartitions(this.folder),
      RAMPART_SECRET: secret ?? platformSecret(this.folder),
      RAMPART_ADMIN_KEY_FILE: this.keyFile,
      // One machine: what listens to webhooks is on it, or near.
      RAMPART_WEBHOOK_ALLOW_PRIVATE: process.env.RAMPART_WEBHOOK_ALLOW_PRIVATE ?? 'true',
      RAMPART_ASSIGNMENT_FOLDER: join(this.folder, 'assignment'),
      ...(adminKey === undefined ? {} : { RAMPART_ADMIN_KEY: adminKey }),
    };
  }

  private placeOf(name: ServiceName): Place | undefined {
    const port = this.services.find((service) => service.name === name)?.port();
    return port === undefined ? undefined : { host: '127.0.0.1', port };
  }

  private children(): readonly Supervised[] {
    return [...this.services, ...this.engines.filter(isEmbedded)].map(({ supervised }) => supervised);
  }

  private logFile(name: string): string {
    return join(this.folder, 'logs', `${name}.log`);
  }

  private adminKeyPlace(): string {
    return this.settings.adminKey === undefined ? `in ${this.keyFile}` : 'the one given by RAMPART_ADMIN_KEY';
  }

  private adminKey(): string {
    return this.settings.adminKey ?? readFileSync(this.keyFile, 'utf8').trim();
  }

  private sayReady(address: string): void {
    this.say(`Ready after ${seconds(this.startedAtMs)}: ${address}`);
    if (this.codes !== undefined) this.say(`Open it, signed in, once: ${address}/#/sign-in?code=${this.codes.current()}`);
    if (this.codes !== undefined) this.say('Another such link: npm run rampart -- open');
    this.say(
      `Admin key: ${this.adminKeyPlace()}${this.settings.adminKey === undefined ? ' (npm run rampart -- keys admin shows it)' : ''}`,
    );
    this.say('Ctrl-C stops it.');
  }

  /** Keeps run.json true; a full disk must not end what runs. */
  private note(): void {
    if (this.isStopping || this.door === undefined) return;
    const engines = this.engines.map((engine) => [
      engine.name,
      isEmbedded(engine) ? { pid: engine.pid(), port: engine.port() } : { pid: undefined, port: undefined },
    ]);
    const services = this.services.map(({ name, supervised, port }) => [name, { pid: supervised.pid, port: port() }]);
    const versions = {
      rampart: this.version,
      node: process.version.slice(1),
      ...Object.fromEntries(this.engines.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version]]))),
    };
    try {
      writeRunFile(this.folder, {
        address: this.door.address,
        pid: process.pid,
        startedAt: new Date(this.startedAtMs).toISOString(),
        dataFolder: this.folder,
        adminKeyFile: this.keyFile,
        log: this.settings.kafkaBrokers.length > 0 ? `kafka ${this.settings.kafkaBrokers.join(',')}` : 'postgres',
        signInCode: this.codes?.current() ?? null,
        versions,
        processes: Object.fromEntries([...engines, ...services]),
      });
    } catch (error) {
      if (this.noteAgain === undefined) this.say(`run.json could not be written: ${(error as Error).message}`);
      clearTimeout(this.noteAgain);
      this.noteAgain = setTimeout(() => this.note(), noteAgainMs).unref();
      return;
    }
    clearTimeout(this.noteAgain);
    this.noteAgain = undefined;
  }

  private async status(): Promise<PlatformStatus> {
    const kafka = this.settings.kafkaBrokers.length > 0 ? (['kafka'] as const) : [];
    const engines = (['postgres', 'clickhouse', ...kafka] as const).map((name) => this.engineStatus(name));
    const services = await Promise.all(serviceNames.filter((name) => isBuilt(this.checkout, name)).map((name) => this.serviceStatus(name)));
    const components = [...engines, ...services];
    return {
      isReady: !this.isStopping && components.every(({ isReady }) => isReady),
      address: this.door?.address ?? '',
      version: this.version,
      startedAt: new Date(this.startedAtMs).toISOString(),
      adminKey: this.adminKeyPlace(),
      components,
    };
  }

  private engineStatus(name: Engine['name']): ComponentStatus {
    const engine = this.engines.find((candidate) => candidate.name === name);
    const embedded = engine !== undefined && isEmbedded(engine) ? engine : undefined;
    const state = embedded?.supervised.state ?? (engine === undefined ? 'starting' : 'external');
    const isReady = state === 'ready' || state === 'external';
    return {
      name,
      kind: 'engine',
      state,
      isReady,
      restarts: embedded?.supervised.restarts ?? 0,
      pid: embedded?.pid(),
      version: engine?.version,
    };
  }

  private async serviceStatus(name: ServiceName): Promise<ComponentStatus> {
    const service = this.services.find((candidate) => candidate.name === name);
    const isReady = (await service?.isReady().catch(() => false)) ?? false;
    const { state = 'starting', restarts = 0, pid } = service?.supervised ?? {};
    return { name, kind: 'service', state, isReady, restarts, pid, version: this.version };
  }
}
