import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { HOPS, ROLLOUT_STATUSES } from '@rampart/contracts';
import { parse } from 'yaml';
import { serviceNames } from '../configuration/reference.js';
import {
  askedMetrics,
  askedValues,
  documentedMetrics,
  groupedLabels,
  labelsOfAll,
  metricOf,
  ofEveryProcess,
  repository,
} from './metric-catalogue.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const RULES = join(repository, 'infra/prometheus/rules.yaml');
const RULES_TEST = join(repository, 'infra/prometheus/rules.test.yaml');
const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readFileSync(join(repository, 'infra/grafana/rampart.json'), 'utf8')) as { panels: readonly Panel[] };
const known = documentedMetrics();

const sender = readFileSync(join(repository, 'apps/experiments/src/webhooks/webhook-sender.ts'), 'utf8');
const outcomes = [...(/onTried\?: \(outcome: ([^,]+),/.exec(sender)?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(
  ([, outcome]) => outcome ?? '',
);

/** Every value that a label can have, from the code; of HTTP's statuses also a class of them. */
const isValue: Readonly<Record<string, (value: string) => boolean>> = {
  service: (value) => serviceNames.includes(value as (typeof serviceNames)[number]),
  'rampart_freshness_age_seconds.hop': (value) => HOPS.includes(value as (typeof HOPS)[number]),
  'rampart_rollouts.status': (value) => ROLLOUT_STATUSES.includes(value as (typeof ROLLOUT_STATUSES)[number]),
  'rampart_webhook_tries_total.outcome': (value) => outcomes.includes(value),
  'rampart_look_recounts_total.same': (value) => ['true', 'false'].includes(value),
  'http_request_duration_seconds.status': (value) => /^[1-5](?:\d\d|\.\.)$/.test(value),
};

/** Literals that no series can have, and those of labels that hang on who installs. */
const wrongValuesIn = (expression: string): readonly string[] =>
  askedValues(expression).flatMap(({ label, metric, value }) => {
    if (label === 'job' || label === 'instance') return [`${label} is whatever who installs calls it`];
    const known_ = isValue[`${metricOf(metric, known)?.name ?? metric}.${label}`] ?? isValue[label];
    if (known_ === undefined) return [`which values ${metric} has of ${label} is not said here`];
    return known_(value) ? [] : [`${metric} never has ${label}="${value}"`];
  });

/** What is wrong with an expression, in sentences. @param shown  where its result is written: `{{label}}` */
const wrongIn = (expression: string, shown = ''): readonly string[] => {
  const asked = askedMetrics(expression);
  const wrong = [...(asked.length === 0 ? ['asks for no metric'] : []), ...wrongValuesIn(expression)];
  const possible = new Set<string>(labelsOfAll);
  for (const { name, labels } of asked) {
    if (ofEveryProcess.test(name)) continue;
    const metric = metricOf(name, known);
    if (metric === undefined) wrong.push(`${name} does not exist`);
    const own = [...labelsOfAll, ...(metric?.labels ?? []), ...(name.endsWith('_bucket') ? ['le'] : [])];
    for (const label of own) possible.add(label);
    for (const label of labels) if (!own.includes(label)) wrong.push(`${name} has no label ${label}`);
    const isRate = new RegExp(`\\b(rate|increase)\\(${name}\\b`).test(expression);
    const counts = metric?.type === 'counter' || metric?.type === 'histogram';
    if (metric !== undefined && counts !== isRate)
      wrong.push(`${name} is a ${metric.type}: ${counts ? 'its rate says something' : 'it has no rate'}`);
  }
  const grouped = groupedLabels(expression);
  for (const label of grouped) if (!possible.has(label)) wrong.push(`there is no label ${label} to group by`);
  for (const [, label = ''] of shown.matchAll(/\{\{\s*\$?(?:labels\.)?(\w+)/g)) {
    if (label === 'value') continue;
    const isLeft = grouped.length === 0 ? possible.has(label) : grouped.includes(label);
    if (!isLeft) wrong.push(`{{${label}}} is not in the result`);
  }
  return wrong;
};

const sourcesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourcesOf(path);
    return /\.ts$/.test(entry.name) && !/spec\.ts$|examples\.ts$/.test(entry.name) ? [path] : [];
  });

/** Names as they stand in the code, in quotes. */
const namesInCode = (): readonly string[] => {
  const texts = ['apps', 'libs'].flatMap((room) => sourcesOf(join(repository, room))).map((path) => readFileSync(path, 'utf8'));
  const names = texts
    .filter((text) => text.includes("'prom-client'"))
    .flatMap((text) => [...text.matchAll(/'((?:rampart|http)_[a-z_]+)'/g)]);
  return [...new Set(names.map(([, name]) => name ?? ''))].sort();
};

describe('the metrics', () => {
  it('are all in docs/observability.md, and all that are there are in the code', () => {
    expect(known.map(({ name }) => name).sort()).toEqual(namesInCode());
  });
});

describe('the alert rules', () => {
  it('use metrics and labels that there are, rates of what counts and of nothing else', () => {
    const wrong = rules.flatMap(({ alert, expr, annotations }) =>
      wrongIn(expr, `${annotations.summary} ${annotations.action}`).map((what) => `${alert}: ${what}`),
    );
    expect(wrong).toEqual([]);
  });

  it('speak of every metric that docs/operations.md says to alert on, with its figures', () => {
    const text = readFileSync(join(repository, 'docs/operations.md'), 'utf8').split('## What to alert on')[1]?.split('\n## ')[0] ?? '';
    const signs = [...text.matchAll(/^\| ([^|]*rampart_[^|]*)\|/gm)].map(([, sign = '']) => sign);
    expect(signs.length).toBeGreaterThan(7);
    const alerted = rules.map(({ expr }) => expr);
    const silent = signs.flatMap((sign) =>
      [...sign.matchAll(/`(\w+)`(?: > (\d+))?/g)].filter(
        ([, name = '', limit]) => !alerted.some((expr) => expr.includes(name) && (limit === undefined || expr.includes(`> ${limit}`))),
      ),
    );
    expect(silent.map(([sign]) => sign)).toEqual([]);
  });

  it('each have a name of their own, a severity, what it means and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(rules.length).toBeGreaterThan(15);
    for (const { alert, labels, annotations } of rules)
      expect([
        alert,
        ['page', 'ticket'].includes(labels.severity),
        annotations.summary.length > 10,
        annotations.action.length > 10,
      ]).toEqual([alert, true, true, true]);
  });

  it('are told from wrong ones', () => {
    expect(wrongIn('rate(rampart_nothing_total[5m]) > 0')).toEqual(['rampart_nothing_total does not exist']);
    expect(wrongIn('rampart_rollouts{phase="held"} > 0')).toContain('rampart_rollouts has no label phase');
    expect(wrongIn('rampart_feedback_rows_total > 0')).toEqual([expect.stringContaining('its rate says something')]);
    expect(wrongIn('rampart_freshness_age_seconds{hop=~"log|stor"} > 30')).toEqual([expect.stringContaining('never has hop="stor"')]);
    expect(wrongIn('rampart_rollouts{status="halted"} > 0')).toEqual([expect.stringContaining('never has status="halted"')]);
    expect(wrongIn('rampart_consumer_lag_messages{topic="feedback"} > 0')).toEqual([expect.stringContaining('not said here')]);
    expect(wrongIn('up{job="rampart"} == 0')).toEqual([expect.stringContaining('whatever who installs')]);
    expect(wrongIn('max by (hop) (rampart_ready)')).toEqual(['there is no label hop to group by']);
    expect(wrongIn('max by (service) (rampart_ready)', '{{instance}}')).toEqual(['{{instance}} is not in the result']);
  });

  // Where it is not installed, the checks above are what there is: they need no tool.
  it('are believed by promtool where it is installed', () => {
    const checked = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
    if (checked.error !== undefined) return expect((checked.error as NodeJS.ErrnoException).code).toBe('ENOENT');
    expect(`${checked.stdout}${checked.stderr}`).toContain(`SUCCESS: ${rules.length} rules found`);
    const tested = spawnSync('promtool', ['test', 'rules', RULES_TEST], { encoding: 'utf8' });
    expect([tested.status, `${tested.stdout}${tested.stderr}`]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('are each fired by series that promtool is given, and none by those of a platform that is well', () => {
    const { tests } = parse(readFileSync(RULES_TEST, 'utf8')) as { readonly tests: readonly { readonly name: string }[] };
    expect(tests.map(({ name }) => name)).toEqual([...rules.map(({ alert }) => alert), 'nothing is wrong']);
  });
});

describe('the dashboard', () => {
  it('asks for metrics and labels that there are', () => {
    const asked = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
    const wrong = asked.flatMap(({ title, expr, legendFormat }) => wrongIn(expr, legendFormat).map((what) => `${title}: ${what}`));
    expect(wrong).toEqual([]);
    expect(asked.length).toBeGreaterThan(30);
  });

  it('shows every metric but those that only people in search of a fault want', () => {
    const shown = new Set(
      panels
        .flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => askedMetrics(expr)))
        .map(({ name }) => metricOf(name, known)?.name),
    );
    const alerted = new Set(rules.flatMap(({ expr }) => askedMetrics(expr)).map(({ name }) => metricOf(name, known)?.name));
    const nowhere = known.map(({ name }) => name).filter((name) => !shown.has(name) && !alerted.has(name));
    expect(nowhere).toEqual([
      'rampart_log_appended_messages_total',
      'rampart_ingest_raw_lag_messages',
      'rampart_assignment_compilations',
      'rampart_assignment_repeats_total',
      'rampart_assignment_forwarded_rows',
      'rampart_records_unreadable_total',
      'rampart_webhook_try_seconds',
    ]);
  });

  it('has panels with ids of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});
