/** `rampart rebuild`: asks the platform to derive something anew from its log. */
import { adminKey } from '../platform/admin-key.js';
import { ApiClient } from '../platform/api-client.js';
import type { Environment } from '../platform/places.js';
import { requirePlatform } from '../platform/running-platform.js';

export type Rebuilt = 'store' | 'read-models';

const PATHS: Readonly<Record<Rebuilt, string>> = { store: '/v1/analysis/rebuild', 'read-models': '/v1/admin/rebuild' };

export const rebuild = async (
  what: Rebuilt,
  address: string | undefined,
  environment: Environment,
  print: (text: string) => void,
): Promise<void> => {
  const platform = await requirePlatform(environment, address);
  const client = new ApiClient(platform.address, adminKey(environment).key, 10_000);
  try {
    const { body } = await client.expect('POST', PATHS[what], [200, 201, 202], {});
    print(body.message ?? `Rebuilding the ${what} at ${platform.address}.`);
  } finally {
    await client.close();
  }
};
