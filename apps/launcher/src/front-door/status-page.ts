/** The page at "/status": what runs, where the API is described, how to get in. Plain HTML that reads well without styles and scripts. */
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
  assignment: 'who gets what: evaluate features (OFREP), explain',
  ingestion: 'send events; check a batch without storing it',
  analysis: 'results, population, freshness and verdicts',
};

const docs = serviceNames
  .map(
    (name) =>
      `<li><a href="/docs/${name}/docs">${name}</a>: ${purposes[name]} (<a href="/docs/${name}/docs-json">${name} as OpenAPI</a>)</li>`,
  )
  .join('\n');

const importCommand = 'npm run import -- --plan plans/checkout_button/plan.json --data plans/checkout_button/data.csv';
const resultsCommand = (address: string): string =>
  `curl -H "Authorization: Bearer $(npm run -s rampart -- keys admin | head -1)" \\
  "${address}/v1/experiments/checkout_button/results?project=imports&environment=checkout_button"`;
const command = (text: string): string => `<pre><code>${html(text)}</code></pre>`;

const style = `
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
  h1 small { font-size: .5em; font-weight: 400 }
  h2 { font-size: 1.25rem; margin: 2rem 0 .5rem }
  table { border-collapse: collapse; width: 100%; overflow-wrap: normal }
  caption { text-align: left; font-weight: 600; padding-bottom: .5rem }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent) }
  td:nth-child(n + 4), th:nth-child(n + 4) { text-align: right }
  .state { padding: .6rem .9rem; border: 2px solid; border-radius: .4rem }
  .no { font-weight: 700 }
  td.yes, td.no { white-space: nowrap }
  .yes::before { content: "✓ " / "" } .no::before { content: "✗ " / "" }
  pre { white-space: pre-wrap; padding: .6rem .9rem; border-radius: .4rem; background: color-mix(in srgb, currentColor 8%, transparent) }
  code { font-size: .92em }
  li { margin: .4rem 0 }
  @media (max-width: 30rem) { td:nth-child(n + 4), th:nth-child(n + 4) { display: none } }
`;

const stateOf = ({ isReady, components }: PlatformStatus): string => {
  if (isReady) return 'Everything is ready.';
  const waiting = components.filter((one) => !one.isReady).map(({ name }) => html(name));
  return `Not everything is ready${waiting.length === 0 ? '' : `: ${waiting.join(', ')}`}. The logs are in the data folder, under <code>logs</code>.`;
};

const minuteOf = (instant: string): string => `${instant.slice(0, 16).replace('T', ' ')} UTC`;

export const statusPage = (status: PlatformStatus): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rampart: ${status.isReady ? 'ready' : 'not ready'}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Rampart <small>${html(status.version)}</small></h1>
<p>A self-hosted experimentation platform: what users do goes in, a verdict with its reason comes out.</p>
<p class="state ${status.isReady ? 'yes' : 'no'}">${stateOf(status)}</p>
<h2>What to do next</h2>
<ol>
<li>Get a first verdict, from the checkout folder: ${command(importCommand)}</li>
<li>Read the same results as a program does: ${command(resultsCommand(status.address))}</li>
<li>Bring your own: the README of the checkout says how a CSV file becomes an experiment (<code>docs/importing.md</code>); services send their events to <code>POST /v1/events</code>.</li>
</ol>
<h2 id="api">API</h2>
<ul>
${docs}
</ul>
<p>Every call carries a key: <code>Authorization: Bearer …</code>. The admin key is ${html(status.adminKey)}; <code>npm run rampart -- keys admin</code> shows it, <code>npm run rampart -- keys --help</code> says how services get keys of their own.</p>
<h2>What runs</h2>
<table>
<caption>Engines and services at ${html(status.address)} since <time datetime="${status.startedAt}">${minuteOf(status.startedAt)}</time></caption>
<thead><tr><th scope="col">name</th><th scope="col">kind</th><th scope="col">state</th><th scope="col">restarts</th><th scope="col">process</th></tr></thead>
<tbody>
${status.components.map(row).join('\n')}
</tbody>
</table>
<p><a href="/">Rollouts and experiments</a> · <a href="/status">reload</a> · as data: <a href="/status.json">status.json</a> · <a href="/readyz">readyz</a></p>
</main>
</body>
</html>
`;
