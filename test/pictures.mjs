/**
 * Pictures of the page for docs/dashboard.md: `node test/pictures.mjs` beside a platform on which `npm run demo` has run for some minutes.
 * Signs in by a link as a person would.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { ensureChromium } from '../infra/setup/chromium.mjs';

const root = resolve(import.meta.dirname, '..');
const data = process.env.RAMPART_DATA ?? join(root, '.rampart');
const { address, signInCode } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8'));
const pictures = [
  { name: 'dashboard-overview', place: '', colorScheme: 'light', height: 760, shown: '[data-rollout]' },
  { name: 'dashboard-rollout', place: 'rollouts/quick-search', colorScheme: 'dark', height: 1_400, shown: '.chart svg' },
];

const browser = await chromium.launch({ executablePath: ensureChromium() ?? '', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${address}/#/sign-in?code=${signInCode}`);
  await page.locator('[data-liveness]').waitFor();
  for (const { name, place, colorScheme, height, shown } of pictures) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 1280, height });
    await page.goto(`${address}/#/${place}`);
    await page.locator(shown).first().waitFor();
    await page.waitForTimeout(2_000);
    await page.screenshot({ path: join(root, 'docs', 'pictures', `${name}.png`) });
    console.log(`docs/pictures/${name}.png`);
  }
} finally {
  await browser.close();
}
