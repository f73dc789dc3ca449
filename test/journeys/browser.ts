/** A browser for journeys that look at the page: Chromium as the system installed it. */
import { existsSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = [process.env.RAMPART_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));

/** Said in the name of what cannot run without it. */
export const browserGap = 'no Chromium: apt-get install chromium, or name one with RAMPART_CHROMIUM';

/** Without its sandbox where it would refuse to run: as root. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath ?? '', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });

export interface Violation {
  readonly rule: string;
  readonly impact: string;
  readonly where: readonly string[];
}

/** What axe calls serious or critical on what is shown now. Evaluated as the tool's own code: the page's policy forbids added scripts. */
export const seriousViolations = async (page: Page): Promise<readonly Violation[]> => {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => ({ rule: id, impact: impact ?? '', where: nodes.map(({ target }) => target.join(' ')) }));
};
