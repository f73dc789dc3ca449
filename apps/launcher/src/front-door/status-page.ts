/** The page at "/": what runs, where the API is described, how to get in. Plain HTML that reads well without styles and scripts. */
import { type ServiceName, serviceNames } from '../services.js';

export interface ComponentStatus {
  readonly name: string;
  readonly kind: 'engine' | 'service';
  readonly state: string;
  readonly isReady: boolean;
  readonly restarts: number;
  readonly pid: number | undefined;
  readonly version: string | undefined;
}

export interface PlatformStatus {
  readonly isReady: boolean;
  readonly address: string;
  readonly version: string;
  readonly startedAt: string;
  readonly adminKey: string;
  readonly components: readonly ComponentStatus[];
}

const html = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const row = ({ name, kind, version, state, isReady, restarts, pid }: ComponentStatus): string =>
  `<tr><th scope="row">${html(name)}</th><td>${kind}${version === undefined ? '' : ` ${html(version)}`}</td><td class="${isReady ? 'yes' : 'no'}">${
    isReady ? 'ready' : html(state === 'ready' ? 'not ready' : state)
  }</td><td>${restarts}</td><td>${pid ?? '–'}</td></tr>`;

const purposes: Readonly<Record<ServiceName, string>> = {
  experiments: 'define projects, keys, metrics and experiments; decide',
  ingestion: 'send events; check a batch without storing it',
  analysis: 'results, population, freshness and verdicts',
};

const docs = serviceNames
  .map(
    (name) =>
      `<li><a href="/docs/${name}/docs">${name}</a>: ${purposes[name]} (<a href="/docs/${name}/docs-json">OpenAPI of ${name}</a>)</li>`,
  )
  .join('\n');

export const statusPage = (status: PlatformStatus): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rampart: ${status.isReady ? 'ready' : 'not ready'}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  caption { text-align: left; font-weight: 600; padding-bottom: .5rem }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent) }
  .no { font-weight: 700 }
  .yes::before { content: "✓ " } .no::before { content: "✗ " }
  code { font-size: .95em }
</style>
</head>
<body>
<main>
<h1>Rampart ${html(status.version)}</h1>
<p>${status.isReady ? 'Everything is ready.' : 'Not everything is ready yet.'} Running at ${html(status.address)} since <time datetime="${status.startedAt}">${status.startedAt}</time>. <a href="/">Reload</a></p>
<table>
<caption>Engines and services</caption>
<thead><tr><th scope="col">name</th><th scope="col">kind</th><th scope="col">state</th><th scope="col">restarts</th><th scope="col">process</th></tr></thead>
<tbody>
${status.components.map(row).join('\n')}
</tbody>
</table>
<h2>API</h2>
<ul>
${docs}
</ul>
<h2>Getting in</h2>
<p>Every call carries a key: <code>Authorization: Bearer …</code>. The admin key is ${html(status.adminKey)}; <code>npm run rampart -- keys admin</code> shows it. Services get keys of their own.</p>
<p>A first verdict: <code>npm run import -- --plan plans/checkout_button/plan.json --data plans/checkout_button/data.csv</code>. All commands: <code>npm run rampart -- --help</code>.</p>
<p>This page as data: <a href="/status.json">status.json</a>.</p>
</main>
</body>
</html>
`;
