/** `rampart kill` and `rampart restore`: the kill switch of a feature, for whoever has a terminal open when it burns. */
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';
import { usage } from '../refusal.js';

export interface SwitchRequest {
  readonly action: 'kill' | 'restore';
  readonly feature: string;
  readonly project: string;
  readonly environmentKey: string;
  readonly reason: string;
  readonly address: string | undefined;
}

interface TypedSwitch {
  readonly command: 'kill' | 'restore';
  readonly words: readonly string[];
  readonly texts: Readonly<Record<string, string | undefined>>;
}

const PATIENCE_MS = 10_000;

/** @throws Refusal (exit code 2) */
export const switchRequest = ({ command, words, texts }: TypedSwitch): SwitchRequest => {
  const [feature, more] = words;
  const { reason, project = 'default', environment = 'production', address } = texts;
  if (feature === undefined) throw usage(`Which feature? rampart ${command} FEATURE --reason WHY.`);
  if (more !== undefined) throw usage(`What is "${more}"? rampart ${command} takes one feature.`);
  if (reason === undefined) throw usage(`Why? rampart ${command} ${feature} --reason WHY: it is kept in the history.`);
  return { action: command, feature, project, environmentKey: environment, reason, address };
};

export const throwSwitch = async (request: SwitchRequest, environment: Environment, print: (text: string) => void): Promise<void> => {
  const { action, feature, project, environmentKey, reason } = request;
  const { address } = await requirePlatform(environment, request.address);
  const client = new ApiClient(address, adminKey(environment).key, PATIENCE_MS);
  try {
    const query = { project, environment: environmentKey };
    await client.expect('POST', `/v1/features/${encodeURIComponent(feature)}/${action}`, [200], { reason }, { query });
  } finally {
    await client.close();
  }
  print(
    action === 'kill'
      ? `Killed ${feature} in ${environmentKey}: everybody gets its default variant within a second. rampart restore ${feature} takes it back.`
      : `Restored ${feature} in ${environmentKey}: experiments and releases count again.`,
  );
};
