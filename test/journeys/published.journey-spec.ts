/** Published experiments from their files to their reference answers. On a platform of their own: beside them a rebuild would read a million events more. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataSets, importFile, plans, removeScratch } from './importer.js';
import { type Platform, startPlatform } from './platform.js';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
  removeScratch();
});

describe('published experiments', () => {
  const sets: readonly (readonly [set: string, file: string, plan: string])[] = [
    ['cookie_cats', 'cookie_cats.csv.gz', 'plan'],
    ['cookie_cats', 'cookie_cats.csv.gz', 'plan-without-outlier'],
    ['landing_page_ab', 'ab_data.csv.gz', 'plan'],
    ['landing_page_ab', 'ab_data.csv.gz', 'plan-first-group'],
    ['landing_page_ab', 'ab_data.csv.gz', 'plan-ca'],
    ['hillstrom_email', 'hillstrom.csv.gz', 'plan'],
    ['adsmart_brand', 'AdSmartABdata.csv.gz', 'plan'],
    ['adsmart_brand', 'AdSmartABdata.csv.gz', 'plan-answers'],
    ['grocery_website', 'grocery_website.csv.gz', 'plan'],
    ['grocery_website', 'grocery_website.csv.gz', 'plan-all-visits'],
    ['progresa_turnout', 'progresa.csv.gz', 'plan'],
  ];
  for (const [set, file, plan] of sets) {
    const data = join(dataSets ?? '', set, file);
    const isThere = dataSets !== undefined && existsSync(data);
    const test = isThere ? it : it.skip;
    test(`${set}, ${plan}: every reference answer${isThere ? '' : ` (no ${set}/${file}: set RAMPART_DATA_SETS)`}`, async () => {
      const expectFile = join(plans, set, `${plan.replace('plan', 'expected')}.json`);
      const { stdout } = await importFile(platform, { plan: join(plans, set, `${plan}.json`), data, expect: expectFile });
      expect(stdout).toMatch(/Reference answers: [1-9]\d+ figures compared, (all exactly equal|largest relative difference)/);
    }, 180_000);
  }
});
