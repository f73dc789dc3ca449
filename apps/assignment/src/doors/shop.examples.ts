/** A shop with a feature for each way in which a unit comes to its value, as it is published, and OFREP's own schema to check answers against. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentDefinition, ExperimentState, FeatureDefinition } from '@rampart/contracts';
import type { OutgoingMessage } from '@rampart/event-log';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { load } from 'js-yaml';
import { experiment, feature, holdout, layer, override, segment, state } from '../ruleset/published.examples.js';
import { published } from '../running/started-assignment.examples.js';

export const publishedFeature = (more: Partial<FeatureDefinition>): OutgoingMessage => {
  const value = feature(more);
  return published({ kind: 'feature', version: 1, value }, value.key);
};

export const publishedExperiment = (
  definition: Partial<ExperimentDefinition>,
  itsState: Partial<ExperimentState> = {},
  environment = 'production',
): readonly OutgoingMessage[] => {
  const value = experiment(definition);
  const running = state({ experiment: value.key, segments: [segment({ seed: `seed of ${value.key}` })], ...itsState });
  return [
    published({ kind: 'experiment', version: 1, value }, value.key),
    published({ kind: 'experiment-state', revision: 1, value: running }, value.key, environment),
  ];
};

export const publishedKill = (flag: string, isKilled: boolean): OutgoingMessage =>
  published({ kind: 'feature-state', revision: 1, value: { feature: flag, isKilled } }, flag, 'production');

const shipped: Partial<ExperimentState> = {
  status: 'decided',
  closedAtUs: 5_000,
  decision: { outcome: 'ship', arm: 'treatment', reason: 'better' },
};

export const shop = (): readonly OutgoingMessage[] => [
  publishedFeature({}),
  ...publishedExperiment({}),
  published({ kind: 'override', value: override() }, 'testers', 'production'),
  publishedFeature({ key: 'banner', valueType: 'boolean', variants: [{ key: 'on', value: true }], defaultVariant: 'on' }),
  publishedFeature({ key: 'half' }),
  ...publishedExperiment({ key: 'half-of-it', feature: 'half' }, { segments: [segment({ seed: 'half', coverage: 0.5 })] }),
  publishedFeature({ key: 'held' }),
  ...publishedExperiment({ key: 'with-holdout', feature: 'held' }),
  published({ kind: 'holdout', value: holdout({ share: 0.5, features: ['held'] }) }, 'baseline'),
  publishedFeature({ key: 'dead' }),
  ...publishedExperiment({ key: 'was-running', feature: 'dead' }),
  publishedKill('dead', true),
  publishedFeature({ key: 'shipped' }),
  ...publishedExperiment({ key: 'was-shipped', feature: 'shipped' }, shipped),
  publishedFeature({ key: 'germans' }),
  ...publishedExperiment({ key: 'for-germans', feature: 'germans', targeting: { country: 'DE' } }),
  publishedFeature({ key: 'seats' }),
  ...publishedExperiment({ key: 'by-account', feature: 'seats', unitType: 'account' }),
  publishedFeature({ key: 'layered' }),
  published({ kind: 'layer', value: layer() }, 'pages'),
  ...publishedExperiment({ key: 'in-layer', feature: 'layered', layer: { key: 'pages', ranges: [[0, 0.5]] } }),
  publishedFeature({
    key: 'theme',
    valueType: 'json',
    variants: [
      { key: 'control', value: { colour: 'blue' } },
      { key: 'treatment', value: { colour: 'red' } },
    ],
  }),
  publishedFeature({ key: 'list', valueType: 'json', variants: [{ key: 'control', value: [1, 2] }] }),
  publishedFeature({ key: 'rate', valueType: 'number', variants: [{ key: 'control', value: 0.25 }] }),
];

export const shopFlags = ['banner', 'checkout', 'dead', 'germans', 'half', 'held', 'layered', 'list', 'rate', 'seats', 'shipped', 'theme'];

interface Schemas {
  readonly components: { readonly schemas: Record<string, object> };
}

/** @returns what is wrong with a body, by the name of its schema; empty when nothing is */
export const ofrepErrors = (): ((schema: string, body: unknown) => readonly string[]) => {
  const document = load(readFileSync(join(import.meta.dirname, '..', '..', 'golden', 'ofrep-0.3.0.yaml'), 'utf8')) as Schemas;
  const { schemas } = document.components;
  // As it stands a value matches two of the alternatives, since the last one says nothing: what it means is that there is no value.
  schemas.codeDefaultFlag = { type: 'object', not: { required: ['value'] } };
  // An integer is a number, too.
  schemas.floatFlag = { type: 'object', properties: { value: { type: 'number', not: { type: 'integer' } } }, required: ['value'] };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'ofrep', ...document });
  return (schema, body) => {
    const validate = ajv.getSchema(`ofrep#/components/schemas/${schema}`);
    if (validate === undefined) throw new Error(`no schema ${schema}`);
    return validate(body) === true ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
};
