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

/** The pages that describe a service: /docs/analysis/docs is /docs of analysis. */
const docs = /^\/docs\/(experiments|assignment|ingestion|analysis)(\/docs(?:-json|-yaml|\/.*)?)$/;
/** What it says of itself: /metrics/analysis that whose turn it is, /metrics/analysis-2 its second process. */
const ownWords = /^(\/metrics|\/diagnostics)\/(experiments|assignment|ingestion|analysis)(?:-([1-9]\d{0,2}))?$/;

export interface Target {
  readonly service: ServiceName;
  readonly path: string;
  /** Which of its processes, from 1; absent: any. */
  readonly process?: number;
}

const fits = (methods: Route['methods'], method: string) =>
  methods === 'any' || methods === method || (methods === 'GET' && method === 'HEAD');

/** `path` is without the query. Undefined: the front door's own page, or nobody's. */
export const targetOf = (method: string, path: string): Target | undefined => {
  const route = routes.find((candidate) => fits(candidate.methods, method) && candidate.path.test(path));
  if (route !== undefined) return { service: route.service, path };
  const page = docs.exec(path);
  if (page !== null) return { service: page[1] as ServiceName, path: page[2] ?? '/' };
  const words = ownWords.exec(path);
  if (words === null) return undefined;
  const [, own = '/', service, process] = words;
  return { service: service as ServiceName, path: own, ...(process === undefined ? {} : { process: Number(process) }) };
};

/** /docs/analysis is a short name for the page, whose files lie beside it; /docs for the list of them. */
export const redirectOf = (path: string): string | undefined => {
  if (/^\/docs\/?$/.test(path)) return '/status#api';
  const found = /^\/docs\/(experiments|assignment|ingestion|analysis)\/?$/.exec(path);
  return found === null ? undefined : `/docs/${found[1]}/docs`;
};
