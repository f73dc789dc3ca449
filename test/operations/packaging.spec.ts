import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { everySetting, type ServiceName, type Setting, serviceNames } from '../configuration/reference.js';
import { repository } from './metric-catalogue.js';

const infra = (path: string): string => join(repository, 'infra', path);
const read = (path: string): string => readFileSync(infra(path), 'utf8');
const CHART = infra('helm/rampart');

let settings: ReadonlyMap<ServiceName, readonly Setting[]>;
beforeAll(async () => {
  settings = await everySetting();
});

/** What a tool says, or undefined where this machine has none: the checks without it hold everywhere. */
const tool = (name: string, args: readonly string[]): { readonly code: number; readonly said: string } | undefined => {
  const ran = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 2 ** 24 });
  if ((ran.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    process.stderr.write(`no ${name} on this machine: only the checks that need no tool were made\n`);
    return undefined;
  }
  return { code: ran.status ?? 1, said: `${ran.stdout}${ran.stderr}` };
};

const isService = (name: string): name is ServiceName => (serviceNames as readonly string[]).includes(name);

/** Names that a service does not read, and those that it needs and is not given. @param given  names of variables */
const wrongEnvironment = (service: ServiceName, given: readonly string[]): readonly string[] => {
  const known = settings.get(service) ?? [];
  return [
    ...given.filter((name) => !known.some((one) => one.name === name)).map((name) => `${service} reads no ${name}`),
    ...known.filter(({ isRequired, name }) => isRequired && !given.includes(name)).map(({ name }) => `${service} needs ${name}`),
    ...(given.includes('KAFKA_BROKERS') || given.includes('RAMPART_DATABASE_URL') ? [] : [`${service} has no log`]),
  ];
};

describe('the image', () => {
  const dockerfile = read('Dockerfile');
  const lines = dockerfile.split('\n').filter((line) => !line.startsWith('#'));
  const programs = [...read('start-service.mjs').matchAll(/^ {2}'?([a-z-]+)'?: '(apps\/[^']+)'/gm)].map(([, name = '', path = '']) => ({
    name,
    path,
  }));

  it('runs as a number that is not root, and its last stage is small', () => {
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 1000:1000']);
    expect(lines.filter((line) => line.startsWith('FROM ')).length).toBe(3);
    expect(lines.lastIndexOf('USER 1000:1000')).toBeLessThan(lines.findIndex((line) => line.startsWith('ENTRYPOINT ')));
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).not.toMatch(/COPY --from=build \/rampart \.|COPY \. /);
  });

  it('has the packages of every program that its command may choose', () => {
    expect(programs.map(({ name }) => name)).toEqual([...['experiments', 'assignment', 'ingestion', 'analysis'], 'front-door', 'rampart']);
    const installed = [...dockerfile.matchAll(/--filter-prod "(@rampart\/[\w-]+)\.\.\."/g)].map(([, name]) => name);
    const needed = programs.map(({ path }) => {
      const folder = path.split('/').slice(0, 2).join('/');
      return JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')).name as string;
    });
    // The front door uses Node alone: the packages of its app are the embedded engines.
    expect(installed).toEqual(needed.filter((name) => name !== '@rampart/launcher'));
  });

  it('is made with the package manager of the checkout, and lets no secret in', () => {
    const packageManager = /'(pnpm@[\d.]+)'/.exec(read('setup/ensure-built.mjs'))?.[1];
    expect(dockerfile).toContain(`npx --yes ${packageManager} install`);
    expect(dockerfile).not.toMatch(/RAMPART_(SECRET|ADMIN_KEY)=/);
  });

  it('refuses a service that there is not', () => {
    const ran = spawnSync(process.execPath, [infra('start-service.mjs'), 'analysys'], { encoding: 'utf8' });
    expect([ran.status, ran.stderr]).toEqual([2, expect.stringContaining('There is no service "analysys": give one of experiments')]);
  });

  it('is believed by hadolint', () => {
    const found = tool('hadolint', [infra('Dockerfile')]);
    if (found !== undefined) expect(found).toEqual({ code: 0, said: '' });
  });
});

interface ComposeService {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
  readonly healthcheck?: object;
  readonly image?: string;
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, object>>;
}

describe('infra/compose.yaml', () => {
  const text = read('compose.yaml');
  const compose = parse(text, { merge: true }) as {
    readonly services: Readonly<Record<string, ComposeService>>;
    readonly volumes: Readonly<Record<string, object>>;
  };
  const services = Object.entries(compose.services);

  it('has the four services, their front door and the engines, each with a health check', () => {
    expect(services.map(([name]) => name).sort()).toEqual([...serviceNames, 'front-door', 'postgres', 'clickhouse', 'kafka'].sort());
    expect(services.filter(([, { healthcheck }]) => healthcheck === undefined)).toEqual([]);
  });

  it('gives each service what it needs and nothing that it does not read', () => {
    const wrong = services.flatMap(([name, { command, environment = {} }]) => {
      if (!isService(name)) return [];
      expect(command).toEqual([name]);
      return wrongEnvironment(name, Object.keys(environment));
    });
    expect(wrong).toEqual([]);
    for (const service of serviceNames)
      expect(compose.services['front-door']?.environment?.[`RAMPART_UPSTREAM_${service.toUpperCase()}`]).toBe(`http://${service}:8080`);
  });

  it('refuses to start without its secrets, all of which infra/env.example names', () => {
    const demanded = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name ?? '');
    const named = [...read('env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? '');
    expect([...new Set(demanded)].sort()).toEqual(named.sort());
    expect(text).not.toMatch(/(PASSWORD|SECRET|ADMIN_KEY): (?!\$\{)/);
  });

  it('lets settings of the services through without being edited, each of which infra/settings.example names is read and not overruled', () => {
    const given = serviceNames.map((name) => compose.services[name]);
    for (const service of given) {
      expect(service?.env_file).toEqual([{ path: expect.stringMatching(/^\$\{RAMPART_SETTINGS:-settings\.env\}$/), required: false }]);
      expect(service?.volumes).toContainEqual(expect.stringMatching(/^\$\{RAMPART_TLS_FOLDER:-\.\/tls\}:\/etc\/rampart:ro$/));
    }
    const named = [...read('settings.example').matchAll(/^#(\w+)=/gm)].map(([, name = '']) => name);
    const ofNode = ['NODE_EXTRA_CA_CERTS'];
    const wrong = named.flatMap((name) => {
      const readers = serviceNames.filter((service) => settings.get(service)?.some((one) => one.name === name));
      const overruled = serviceNames.filter((service) => name in (compose.services[service]?.environment ?? {}));
      return [
        ...(readers.length > 0 || ofNode.includes(name) ? [] : [`nobody reads ${name}`]),
        ...overruled.map((service) => `${service} has ${name} from compose.yaml`),
      ];
    });
    expect(wrong).toEqual([]);
    // Every setting of a kind that an installation decides on, so that a new one is not forgotten.
    const decided = [...settings.values()].flat().filter(({ name }) => /QUOTA|KEEP|CORS|PARTITIONS$|TLS|SASL/.test(name));
    expect(decided.map(({ name }) => name).filter((name) => !named.includes(name))).toEqual([]);
  });

  it('lets engines of one’s own take the place of those beside it', () => {
    expect(compose.services.ingestion?.environment?.KAFKA_BROKERS).toMatch(/^\$\{KAFKA_BROKERS:-kafka:9092\}$/);
    expect(compose.services.experiments?.environment?.RAMPART_DATABASE_URL).toMatch(/^\$\{RAMPART_DATABASE_URL:-postgres:.*\}$/);
    expect(compose.services.analysis?.environment?.RAMPART_CLICKHOUSE_URL).toMatch(/^\$\{RAMPART_CLICKHOUSE_URL:-http:.*\}$/);
  });

  it('keeps what must be kept on volumes that it declares', () => {
    const named = (volume: string) => !volume.startsWith('${');
    const used = services.flatMap(([, { volumes = [] }]) => volumes.filter(named).map((volume) => volume.split(':')[0]));
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it('is believed by docker compose', () => {
    const version = tool('docker', ['compose', 'version']);
    if (version === undefined || version.code !== 0) return expect(version?.said ?? 'no docker').not.toMatch(/^Docker Compose/);
    const folder = mkdtempSync(join(tmpdir(), 'rampart-compose-'));
    try {
      writeFileSync(join(folder, 'env'), read('env.example').replace(/=$/gm, '=0123456789abcdef'));
      expect(tool('docker', ['compose', '--env-file', join(folder, 'env'), '-f', infra('compose.yaml'), 'config', '--quiet'])?.said).toBe(
        '',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const SECRETS = [
  'secret=0123456789abcdef',
  'adminKey=0123456789abcdef',
  'databaseUrl=postgres://u:p@db/r',
  'clickhouseUrl=http://u:p@ch:8123',
];
const CLUSTER = ['--kube-version', '1.31.0', ...SECRETS.flatMap((one) => ['--set', `secrets.${one}`])];

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
};

/** Values that the schema does not name, and properties that have no default. */
const differing = (values: unknown, schema: Schema, root: Schema, path = ''): readonly string[] => {
  const resolved = schema.$ref === undefined ? schema : (root.definitions?.[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  if (resolved.properties === undefined || typeof values !== 'object' || values === null) return [];
  const known = resolved.properties;
  const given = values as Readonly<Record<string, unknown>>;
  return [
    ...Object.keys(given)
      .filter((name) => known[name] === undefined)
      .map((name) => `${path}/${name} is not in the schema`),
    ...Object.keys(known)
      .filter((name) => !(name in given) && name !== 'global')
      .map((name) => `${path}/${name} has no default`),
    ...Object.entries(given).flatMap(([name, value]) => differing(value, known[name] ?? {}, root, `${path}/${name}`)),
  ];
};

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly template?: {
      readonly spec: {
        readonly securityContext: { readonly runAsNonRoot: boolean };
        readonly containers: readonly {
          readonly name: string;
          readonly env: readonly { readonly name: string }[];
          readonly resources: { readonly requests?: object; readonly limits?: object };
          readonly readinessProbe?: object;
          readonly livenessProbe?: object;
          readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
        }[];
      };
    };
  };
}

describe('the Helm chart', () => {
  it('has a schema for every value and a default for every property', () => {
    const schema = JSON.parse(read('helm/rampart/values.schema.json')) as Schema;
    expect(differing(parse(read('helm/rampart/values.yaml')), schema, schema)).toEqual([]);
    expect(differing({ kafka: { broker: '' } }, schema, schema)).toEqual(expect.arrayContaining(['/kafka/broker is not in the schema']));
  });

  it('has the version of the platform', () => {
    const { version, appVersion } = parse(read('helm/rampart/Chart.yaml')) as { readonly version: string; readonly appVersion: string };
    const platform = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).version;
    expect([version, appVersion]).toEqual([platform, platform]);
  });

  it('names no variable that no service reads', () => {
    const known = new Set([...settings.values()].flat().map(({ name }) => name));
    const named = [...read('helm/rampart/templates/_helpers.tpl').matchAll(/(?:"name" "|- name: )([A-Z][A-Z_]+)(?=["\n])/g)].map(
      ([, name]) => name ?? '',
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('is believed by helm, on Kafka and on PostgreSQL, and makes sound pods of what services need', () => {
    const linted = tool('helm', ['lint', '--strict', CHART, ...CLUSTER]);
    if (linted === undefined) return expect(linted).toBeUndefined();
    expect(linted).toEqual({ code: 0, said: expect.stringContaining('0 chart(s) failed') });
    for (const more of [
      [],
      ['--set', 'kafka.brokers=k1:9092\\,k2:9092', '--set', 'tracing.endpoint=http://c:4318', '--set', 'ingress.enabled=true'],
    ]) {
      const made = spawnSync('helm', ['template', 'r', CHART, ...CLUSTER, ...more], { encoding: 'utf8' });
      const manifests = parseAllDocuments(made.stdout).map((document) => document.toJS() as Manifest);
      expect(manifests.filter(({ kind }) => kind === 'PodDisruptionBudget').length).toBe(5);
      const pods = manifests.flatMap(({ spec }) => (spec?.template === undefined ? [] : [spec.template.spec]));
      expect(pods.map(({ containers }) => containers[0]?.name).sort()).toEqual([...serviceNames, 'front-door'].sort());
      for (const { securityContext, containers } of pods) {
        expect(securityContext.runAsNonRoot).toBe(true);
        for (const container of containers) {
          const { resources, readinessProbe, livenessProbe, securityContext: own } = container;
          expect([
            own.readOnlyRootFilesystem,
            ...[resources.requests, resources.limits, readinessProbe, livenessProbe].map((one) => one !== undefined),
          ]).toEqual([...[true, true, true, true, true]]);
          if (isService(container.name))
            expect(
              wrongEnvironment(
                container.name,
                container.env.map(({ name }) => name),
              ),
            ).toEqual([]);
        }
      }
      believedByKubernetes(made.stdout);
    }
  });

  it('refuses values that no service would start with', () => {
    const refused = tool('helm', ['template', 'r', CHART, ...CLUSTER, '--set', 'kafka.brokers=nowhere', '--set', 'analysis.replicas=0']);
    if (refused === undefined) return expect(refused).toBeUndefined();
    expect(refused).toEqual({ code: 1, said: expect.stringContaining("at '/analysis/replicas'") });
    const without = tool('helm', ['template', 'r', CHART, '--kube-version', '1.31.0']);
    expect(without?.said).toContain('secrets.secret is missing');
  });
});

/** @param manifests  YAML. Checked against the schemas of Kubernetes where PyPI's kubernetes-validate is installed */
const believedByKubernetes = (manifests: string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-helm-'));
  try {
    writeFileSync(join(folder, 'all.yaml'), manifests);
    const found = tool('kubernetes-validate', ['--strict', '--kubernetes-version', '1.31', '--quiet', join(folder, 'all.yaml')]);
    if (found !== undefined) expect(found.code === 0 ? '' : found.said).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
};
