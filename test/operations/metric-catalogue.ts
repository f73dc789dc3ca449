/** The metrics that docs/observability.md promises, and which of them an expression of Prometheus asks for. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '..', '..', '..');

export type MetricType = 'counter' | 'gauge' | 'histogram';

export interface DocumentedMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly labels: readonly string[];
  /** The service that has it; undefined: all four. */
  readonly service: string | undefined;
}

const ROW = /^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*)\|/;

export const documentedMetrics = (): readonly DocumentedMetric[] => {
  const found: DocumentedMetric[] = [];
  let heading = '';
  for (const line of readFileSync(join(repository, 'docs/observability.md'), 'utf8').split('\n')) {
    heading = /^### (.+)$/.exec(line)?.[1] ?? heading;
    const [, name, type, labels = ''] = ROW.exec(line) ?? [];
    if (name === undefined) continue;
    const service = heading === 'Every service' ? undefined : heading;
    found.push({ name, type: type as MetricType, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label ?? ''), service });
  }
  return found;
};

export interface AskedMetric {
  readonly name: string;
  /** In its braces. */
  readonly labels: readonly string[];
}

const NAME = /\b((?:rampart|http|process|nodejs)_\w+|up)\b(\s*\{([^}]*)\})?/g;
/** The values that an expression selects by literally, a list of alternatives one by one: what a mistyped one would never find. */
export const askedValues = (expression: string): readonly { readonly metric: string; readonly label: string; readonly value: string }[] =>
  [...expression.matchAll(NAME)].flatMap(([, metric = '', , selectors = '']) =>
    [...selectors.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)].flatMap(([, label = '', text = '']) =>
      text.split('|').map((value) => ({ metric, label, value })),
    ),
  );

const STRINGS = /"(?:[^"\\]|\\.)*"/g;

/** The series of an expression with the labels that it selects by. */
export const askedMetrics = (expression: string): readonly AskedMetric[] =>
  [...expression.replace(STRINGS, '""').matchAll(NAME)].map(([, name = '', , selectors = '']) => ({
    name,
    labels: [...selectors.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label ?? ''),
  }));

/** The labels that an expression groups by. */
export const groupedLabels = (expression: string): readonly string[] =>
  [...expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== ''),
  );

/** The metric behind a series: a histogram has three, and `le` in one of them. */
export const metricOf = (series: string, known: readonly DocumentedMetric[]): DocumentedMetric | undefined =>
  known.find(({ name }) => name === series) ??
  known.find(({ name, type }) => type === 'histogram' && [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(series));

/** Those of every Node process and of Prometheus itself. */
export const ofEveryProcess = /^(up|process_\w+|nodejs_\w+)$/;
/** Put on by Prometheus, by the registry of each service, by a histogram. */
export const labelsOfAll: readonly string[] = ['job', 'instance', 'service'];

export interface ExposedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** The platform's own metrics in what a service exposes. */
export const exposedMetrics = (text: string): readonly ExposedMetric[] =>
  [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)]
    .map(([, name = '', type = '']) => ({ name, type }))
    .filter(({ name }) => /^(rampart|http)_/.test(name))
    .map(({ name, type }) => ({ name, type, labels: labelsIn(text, name) }));

const labelsIn = (text: string, name: string): readonly string[] => {
  const labels = [...text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm'))].flatMap(([, list = '']) =>
    [...list.matchAll(/(\w+)="/g)].map(([, label]) => label ?? ''),
  );
  return [...new Set(labels)].filter((label) => label !== 'service' && label !== 'le').sort();
};
