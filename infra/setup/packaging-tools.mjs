/**
 * Tools of others that the tests of packaging and alert rules ask where a machine has them. They can't be had everywhere: without one the tests pass by their own rules alone,
 * which the end of a run has to say.
 */
import { spawnSync } from 'node:child_process';

/** `asked`: what answers where the tool is there. `spec`: asks it. `own`: what is left without it. */
const tools = [
  { name: 'hadolint', asked: ['hadolint', '--version'], spec: 'packaging', own: 'infra/Dockerfile' },
  { name: 'docker compose', asked: ['docker', 'compose', 'version'], spec: 'packaging', own: 'infra/compose.yaml' },
  { name: 'helm', asked: ['helm', 'version', '--short'], spec: 'packaging', own: 'templates and values of the Helm chart' },
  { name: 'kubernetes-validate', asked: ['kubernetes-validate', '--version'], spec: 'packaging', own: 'manifests of the Helm chart' },
  { name: 'promtool', asked: ['promtool', '--version'], spec: 'observability', own: 'infra/prometheus/rules.yaml' },
];

const answers = ([name, ...args]) => {
  const { error, status } = spawnSync(name, args, { stdio: 'ignore', timeout: 30_000 });
  return error === undefined && status === 0;
};

/**
 * @param {readonly string[]} ran  files of the specs that ran
 * @param {(asked: readonly string[]) => boolean} isThere
 * @returns {readonly string[]}  a sentence for each tool that one of them did without
 */
export const missingTools = (ran, isThere = answers) =>
  tools
    .filter(({ spec, asked }) => ran.some((file) => file.endsWith(`/operations/${spec}.spec.js`)) && !isThere(asked))
    .map(({ name, own }) => `no ${name}: ${own} checked only by our own rules`);
