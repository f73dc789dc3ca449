import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkoutButton, dataSets, type ImportOptions, importFile, plans, removeScratch } from './importer.js';
import { type Platform, startPlatform } from './platform.js';

let onKafka: Platform;
let embedded: Platform;

beforeAll(async () => {
  [onKafka, embedded] = await Promise.all([startPlatform({ log: 'kafka' }), startPlatform({ log: 'embedded' })]);
}, 180_000);

afterAll(async () => {
  for (const platform of [onKafka, embedded]) {
    await platform?.stop();
    platform?.remove();
  }
  removeScratch();
}, 60_000);

const published = (set: string, file: string): ImportOptions => ({
  plan: join(plans, set, 'plan.json'),
  data: join(dataSets ?? '', set, file),
  expect: join(plans, set, 'expected.json'),
});
const sets: readonly (readonly [name: string, options: ImportOptions])[] = [
  ['checkout_button', { plan: checkoutButton.plan, data: checkoutButton.data, expect: checkoutButton.expected }],
  ['adsmart_brand', published('adsmart_brand', 'AdSmartABdata.csv.gz')],
  ['progresa_turnout', published('progresa_turnout', 'progresa.csv.gz')],
];

describe('the same history on both logs', () => {
  for (const [name, options] of sets) {
    const isThere = existsSync(options.data);
    const test = isThere ? it : it.skip;
    test(`${name}: the same evidence to the last digit${isThere ? '' : ` (no ${options.data}: set RAMPART_DATA_SETS)`}`, async () => {
      const [kafka, postgres] = [(await importFile(onKafka, options)).results, (await importFile(embedded, options)).results];
      expect(kafka.evidenceDigest).toMatch(/^[0-9a-f]{16,}$/);
      expect(kafka.evidenceDigest).toBe(postgres.evidenceDigest);
      expect(kafka.sufficientStatistics).toEqual(postgres.sufficientStatistics);
      expect(kafka.population.duplicates).toEqual(postgres.population.duplicates);
    }, 120_000);
  }
});
