import { expect, it } from '@jest/globals';
import { readConfig } from '@rampart/service-kit';
import { experimentsConfig, storesConfig } from './experiments-config.js';

const given = { RAMPART_SECRET: 'a-platform-secret-for-specs' };

it.each(['base', 'postgres://h:99999/db'])('a database that is none (%s) is refused by the name of its setting', (url) => {
  for (const schema of [storesConfig, experimentsConfig])
    expect(() => readConfig(schema, { ...given, RAMPART_DATABASE_URL: url })).toThrow('RAMPART_DATABASE_URL: must be postgres://');
});
