/** Which service answers which path. The first line that fits wins. */
import type { ServiceName } from '../services.js';

interface Route {
  readonly methods: 'POST' | 'GET' | 'any';
  readonly path: RegExp;
  readonly service: ServiceName;
}

const routes: readonly Route[] = [
  { methods: 'any', path: /^\/ofrep\/v1\/.+$/, service: 'assignment' },
  { methods: 'any', path: /^\/v1\/evaluate\/.+$/, service: 'assignment' },
  { methods: 'any', path: /^\/api\/features\/[^/]+$/, service: 'assignment' },
  { methods: 'POST', path: /^\/v1\/events$/, service: 'ingestion' },
  { methods: 'POST', path: /^\/v1\/ingest\/validate$/, service: 'ingestion' },
  { methods: 'POST', path: /^\/v1\/ingest\/dead-letters\/.+$/, service: 'ingestion' },
  { methods: 'any', path: /^\/v1\/units\/.+$/, service: 'ingestion' },
  { methods: 'any', path: /^\/v1\/erasures(\/.*)?$/, service: 'ingestion' },
  { methods: 'GET', path: /^\/v1\/ingest\/.+$/, service: 'analysis' },
  {
    methods: 'any',
    path: /^\/v1\/experiments\/[^/]+\/(results|statistics|population|freshness|timeseries|explore|power)(\/.*)?$/,
    service: 'analysis',
  },
  { methods: 'POST', path: /^\/v1\/decisions\/(([^/]+\/)?replay|[^/]+\/rows)$/, service: 'analysis' },
  { methods: 'any', path: /^\/v1\/metrics\/preview$/, service: 'analysis' },
  { methods: 'POST', path: /^\/v1\/plans\/.+$/, service: 'analysis' },
  { methods: 'any', path: /^\/v1\/analysis\/.+$/, service: 'analysis' },
  { methods: 'any', path: /^\/v1\/.+$/, service: 'experiments' },
];

/** The service's own pages: /docs/analysis/docs is /docs of analysis, /metrics/analysis and /diagnostics/analysis are what it says of itself. */
const ownPages: readonly { readonly path: RegExp; readonly page: string }[] = [
  { path: /^\/docs\/(experiments|assignment|ingestion|analysis)(\/docs(?:-json|-yaml|\/.*)?)$/, page: '$2' },
  { path: /^\/metrics\/(experiments|assignment|ingestion|analysis)$/, page: '/metrics' },
  { path: /^\/diagnostics\/(experiments|assignment|ingestion|analysis)$/, page: '/diagnostics' },
];

export interface Target {
  readonly service: ServiceName;
  readonly path: string;
}

const fits = (methods: Route['methods'], method: string) =>
  methods === 'any' || methods === method || (methods === 'GET' && method === 'HEAD');

/** `path` is without the query. Undefined: the front door's own page, or nobody's. */
export const targetOf = (method: string, path: string): Target | undefined => {
  const route = routes.find((candidate) => fits(candidate.methods, method) && candidate.path.test(path));
  if (route !== undefined) return { service: route.service, path };
  for (const { path: pattern, page } of ownPages) {
    const found = pattern.exec(path);
    if (found !== null) return { service: found[1] as ServiceName, path: page === '$2' ? (found[2] ?? '/') : page };
  }
  return undefined;
};

/** /docs/analysis is a short name for the page, whose files lie beside it; /docs for the list of them. */
export const redirectOf = (path: string): string | undefined => {
  if (/^\/docs\/?$/.test(path)) return '/status#api';
  const found = /^\/docs\/(experiments|assignment|ingestion|analysis)\/?$/.exec(path);
  return found === null ? undefined : `/docs/${found[1]}/docs`;
};
