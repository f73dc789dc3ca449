import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { browserGap, chromiumPath, seriousViolations, startBrowser } from './browser.js';
import { type LiveSetting, liveExposure, resultsOf, send, startLive } from './live.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';
import { actOn, climbing, rampReaches, rampStateOf, rolloutOf, startRamp, whileVisited } from './ramp.js';

const withBrowser = chromiumPath === undefined ? describe.skip : describe;
const label = chromiumPath === undefined ? ` (${browserGap})` : '';
/** What a plan asks, as the address of its page says it. */
const PLAN = 'plan?metric=converted&from=seen&effect=10%25&perDay=2000';
/** How old the page may be behind the API. */
const BEHIND_MS = 3_000;

let platform: Platform;
let browser: Browser;
let setting: LiveSetting;

const linkOf = (printed: string): string | undefined => /http:\/\/127\.0\.0\.1:\d+\/#\/sign-in\?code=\S+/.exec(printed)?.[0];

/** A tab that is signed in by the form, at the journey's project. */
const signedIn = async (colorScheme: 'light' | 'dark' = 'light', key = platform.adminKey): Promise<Page> => {
  const page = await browser.newPage({ colorScheme });
  await page.goto(`${platform.address}/`);
  await page.locator('input[name=key]').fill(key);
  await page.locator('input[name=project]').fill(setting.project);
  await page.locator('form button[type=submit]').click();
  await page.locator(`[data-rollout="${setting.experiment}"]`).waitFor();
  return page;
};

/** The moment at which it became true, by polling as often as it takes to tell. */
const momentOf = async (what: string, isTrue: () => Promise<boolean>): Promise<number> =>
  eventually(what, async () => ((await isTrue()) ? Date.now() : undefined), 60_000);

beforeAll(async () => {
  if (chromiumPath === undefined) return;
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500' } });
  browser = await startBrowser();
  setting = await startRamp(platform, {
    experiment: 'seen',
    stages: [...climbing.slice(0, 3), { name: 'all', coverage: 1, bakeSeconds: 4, minUnits: 100, requiresApproval: true }],
  });
}, 150_000);

afterAll(async () => {
  await browser?.close();
  await platform?.stop();
  platform?.remove();
}, 60_000);

withBrowser(`the page of the platform${label}`, () => {
  it('opens by the printed link, which works once', async () => {
    const link = linkOf(platform.output());
    expect(link).toBeDefined();
    const page = await browser.newPage();
    await page.goto(link ?? '');
    await page.locator('[data-liveness]').waitFor();
    expect(page.url()).not.toContain('code=');
    const again = await browser.newPage();
    await again.goto(link ?? '');
    await again.getByRole('alert').waitFor();
    await Promise.all([page.close(), again.close()]);
  }, 60_000);

  it('shows a change of stage within three seconds of the API, without a reload', async () => {
    const page = await signedIn();
    const card = page.locator(`[data-rollout="${setting.experiment}"]`);
    await whileVisited(platform, setting, { buysOneIn: { control: 5, treatment: 2 } }, async () => {
      const [told, seen] = await Promise.all([
        momentOf('the API is at 5 %', async () => (await rolloutOf(platform, setting)).stage?.index === 1),
        momentOf('the page is at 5 %', async () => (await card.locator('[aria-current=step]').textContent())?.startsWith('5 %') === true),
      ]);
      expect(seen - told).toBeLessThan(BEHIND_MS);
      await eventually('the verdict of the API, its sentence with both numbers', async () => {
        const { look } = await rolloutOf(platform, setting);
        const text = await card.textContent();
        return look !== null && text?.includes(look.verdict) === true && text.includes(look.sentence) ? true : undefined;
      });
      await rampReaches(
        platform,
        setting,
        'only approval is missing',
        ({ waits, stage }) => stage?.name === 'all' && waits.length === 1,
        90_000,
      );
    });
    await page.close();
  }, 180_000);

  it('says the numbers of the API', async () => {
    const page = await signedIn();
    await page.goto(`${platform.address}/#/rollouts/${setting.experiment}`);
    await eventually('the sentence of the newest look', async () => {
      const { look } = await rolloutOf(platform, setting);
      return look !== null && (await page.locator('main').textContent())?.includes(look.sentence) === true ? true : undefined;
    });
    // Units go on becoming final for a while: both are read until they agree.
    await eventually('the units of every metric and arm', async () => {
      const { body } = await resultsOf(platform, setting);
      const told = (body.metrics as readonly { metric: string; arms: readonly { arm: string; n: number }[] }[]).flatMap(
        ({ metric, arms }) => arms.map(({ arm, n }) => ({ metric, arm, n })),
      );
      const shown = await Promise.all(
        told.map(({ metric, arm }) => page.locator(`[data-metric="${metric}"] [data-arm="${arm}"]`).textContent({ timeout: 5_000 })),
      );
      const isSame = told.length > 0 && told.every(({ n }, at) => shown[at]?.endsWith(`of ${n.toLocaleString('en-US')}`) === true);
      return isSame ? true : undefined;
    });
    await page.close();
  }, 60_000);

  it('breaks the effects down where it is asked to', async () => {
    const page = await signedIn();
    await page.goto(`${platform.address}/#/experiments/${setting.experiment}`);
    await page.locator('#by').selectOption('property');
    await page.getByLabel('Property of the exposures').fill('country');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('No unit had the property country at its first exposure').waitFor();
    expect(await page.locator('#by option').allTextContents()).toEqual(['nothing: all units together', 'a property of the exposures']);
    await page.close();
  }, 60_000);

  it('has nothing that axe calls serious, in either theme', async () => {
    const record = (await rampStateOf(platform, setting)).look.record;
    for (const theme of ['light', 'dark'] as const) {
      const page = await signedIn(theme);
      for (const place of ['', PLAN, `rollouts/${setting.experiment}`, `experiments/${setting.experiment}`, `records/${record}`]) {
        await page.goto(`${platform.address}/#/${place}`);
        await page.locator('main h1').waitFor();
        await page.waitForTimeout(1_500);
        expect({ theme, place, found: await seriousViolations(page) }).toEqual({ theme, place, found: [] });
      }
      await page.close();
    }
    const door = await browser.newPage();
    await door.goto(`${platform.address}/`);
    await door.locator('input[name=key]').waitFor();
    expect(await seriousViolations(door)).toEqual([]);
    await door.close();
  }, 240_000);

  it('plans from what has run as the API does, by keyboard, and says at its field what is wrong', async () => {
    const page = await signedIn();
    await page.getByRole('link', { name: 'Plan', exact: true }).click();
    await page.getByText('Still to be said: Share of control, Smallest effect worth finding.').waitFor();
    await page.getByLabel('Metric', { exact: true }).selectOption('converted');
    await page.getByLabel('Smallest effect worth finding').focus();
    await page.keyboard.type('0,1');
    await page.locator('[data-field=effect]').getByText('has a comma').waitFor();
    expect(await page.getByLabel('Smallest effect worth finding').getAttribute('aria-invalid')).toBe('true');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('10%');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('30%');
    await page.locator('[data-field=power]').getByText('Too small').waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('80%');
    for (const _ of ['treatments', 'a day']) await page.keyboard.press('Tab');
    await page.keyboard.type('2000');
    const question = { metric: 'converted', minimumEffect: { relative: 0.1 }, unitsPerDay: 2_000 };
    const planned = await eventually('the sentence of the API', async () => {
      const at = `/v1/experiments/${setting.experiment}/power?project=${setting.project}&environment=${setting.environment}`;
      const { body } = await platform.call('POST', at, question);
      return (await page.locator('[data-plan]').textContent()) === body.sentence ? body : undefined;
    });
    expect(planned.days).toBe(Math.ceil(planned.watched.maximumUnits / 2_000));
    expect(await page.getByRole('img', { name: 'Chance to have found the effect' }).getAttribute('aria-label')).toContain('80 % after');
    await page.locator('[data-reached=converted]').waitFor();
    expect(page.url()).toBe(`${platform.address}/#/${PLAN}`);
    await page.close();
  }, 60_000);

  it('opens a shared plan after signing in, on a narrow screen too', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
    await page.goto(`${platform.address}/#/plan?rate=10%25&effect=20%25&method=fixed-horizon`);
    await page.locator('input[name=key]').fill(platform.adminKey);
    await page.locator('form button[type=submit]').click();
    await page.locator('[data-plan="7678"]').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await page.close();
  }, 60_000);

  it('shows in the list of experiments what was seen last of each', async () => {
    const page = await signedIn();
    await eventually('the sentence of the newest look', async () => {
      const { look } = await rampStateOf(platform, setting);
      return (await page.locator(`[data-experiment="${setting.experiment}"]`).textContent())?.includes(look.sentence) ? true : undefined;
    });
    await page.close();
  }, 60_000);

  it('recounts a record when asked, and says that it is the same', async () => {
    const page = await signedIn();
    await page.goto(`${platform.address}/#/rollouts/${setting.experiment}`);
    await page.getByRole('button', { name: 'Replay' }).first().click();
    await page.locator('[data-replay=same]').waitFor();
    await page.close();
  }, 60_000);

  it('breaks them down by the arms of another experiment, with the numbers of the API', async () => {
    const beside = await startLive(platform, { ...setting, experiment: 'beside' });
    // Of each arm every other unit, so that the arms hold each other in equal shares.
    const armOf = (index: number) => (Math.floor(index / 2) % 2 === 0 ? 'control' : 'treatment');
    const exposed = Array.from({ length: 600 }, (_, index) =>
      liveExposure(beside, `${setting.experiment}-u${index}`, armOf(index), Date.now()),
    );
    await send(platform, beside, exposed);
    const query = `?project=${setting.project}&environment=${setting.environment}&interaction=beside`;
    const page = await signedIn();
    await page.goto(`${platform.address}/#/experiments/${setting.experiment}`);
    await eventually('the page says what the API does', async () => {
      const { interaction } = (await platform.call('GET', `/v1/experiments/${setting.experiment}/results${query}`)).body;
      if (interaction.independence.refused !== undefined || interaction.interactions.length === 0) return undefined;
      await page.reload();
      await page.locator('#by').selectOption({ label: 'the arms of beside' });
      await page.getByText('The arms hold each other in equal shares').waitFor();
      const told = [...new Set(interaction.interactions.map((one: { metric: string }) => one.metric))];
      const parts = await page.locator('[data-part] h3').allTextContents();
      const rows = await page.locator('[data-interaction]').count();
      const units = interaction.arms.map(({ units }: { units: number }) => `${units.toLocaleString('en')} units`);
      const isSame = rows >= told.length && parts.length === units.length && parts.every((part, at) => part.endsWith(units[at]));
      return isSame && parts.some((part) => part.startsWith('treatment of beside')) ? true : undefined;
    });
    expect(await seriousViolations(page)).toEqual([]);
    await page.close();
  }, 90_000);

  it('does what a person confirms, with the reason, and says which gates are closed', async () => {
    const page = await signedIn();
    await page.goto(`${platform.address}/#/rollouts/${setting.experiment}`);
    await page.getByRole('button', { name: 'Release' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('This cannot be taken back');
    await dialog.getByRole('button', { name: 'Release' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await dialog.getByRole('alert').textContent()).toContain('gates-closed');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Hold' }).click();
    await dialog.getByRole('textbox').fill('to look at it together');
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await page.locator('.verdict').getByText('to look at it together').first().waitFor();
    const held = await rolloutOf(platform, setting);
    expect(held.hold).toMatchObject({ cause: 'person' });
    // Somebody else changes it while a question is open.
    await page.getByRole('button', { name: 'Resume' }).click();
    const { key, name, experiment, environment, stages, freshnessSeconds } = held;
    const changed = { key, name, experiment, environment, stages, freshnessSeconds: freshnessSeconds + 1 };
    expect((await platform.call('PUT', `/v1/rollouts/${key}?project=${setting.project}`, changed)).status).toBe(200);
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await dialog.getByText('It has changed since you opened this').waitFor();
    expect((await rolloutOf(platform, setting)).status).toBe('held');
    await page.close();
  }, 60_000);

  it('shows to a key that may only read what it may not do, and why', async () => {
    const at = `?project=${setting.project}`;
    const { body } = await platform.call('POST', `/v1/keys${at}`, { name: 'reads', role: 'analyst' });
    await eventually('the key works', async () =>
      (await platform.call('GET', `/v1/rollouts${at}`, undefined, { key: body.key })).status === 200 ? true : undefined,
    );
    const page = await signedIn('light', body.key);
    await page.goto(`${platform.address}/#/rollouts/${setting.experiment}`);
    await page.getByText('A key of role analyst may not do this').waitFor();
    const resume = page.getByRole('button', { name: 'Resume' });
    expect(await resume.getAttribute('aria-disabled')).toBe('true');
    await resume.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.close();
  }, 60_000);

  it('says that it is stale while its service is away, and catches up by itself', async () => {
    const page = await signedIn();
    await page.locator('[data-liveness=live]').waitFor();
    await killPart(platform, 'experiments');
    await page.locator('[data-liveness=reconnecting]').waitFor();
    await page.locator('[data-liveness=live]').waitFor();
    expect(await page.locator('h1').textContent()).toContain(setting.project);
    await page.close();
  }, 90_000);

  it('shows what a person did elsewhere within three seconds', async () => {
    const page = await signedIn();
    const card = page.locator(`[data-rollout="${setting.experiment}"]`);
    expect((await actOn(platform, setting, 'roll-back', { reason: 'seen enough' })).status).toBe(200);
    const [told, seen] = await Promise.all([
      momentOf('the API says so', async () => (await rolloutOf(platform, setting)).status === 'rolled-back'),
      momentOf('the page says so', async () => (await card.textContent())?.includes('seen enough') === true),
    ]);
    expect(seen - told).toBeLessThan(BEHIND_MS);
    await page.close();
  }, 60_000);

  it('shows a long list a part at a time, and searches all of it', async () => {
    const page = await signedIn();
    const { key: _, name: __, ...running } = await rolloutOf(platform, setting);
    const drafts = Array.from({ length: 30 }, (_, nth) => `draft-${nth}`);
    for (const key of drafts) {
      const { environment, experiment, stages } = running;
      const answer = await platform.call('POST', `/v1/rollouts?project=${setting.project}`, {
        key,
        name: key,
        environment,
        experiment,
        stages,
      });
      expect([key, answer.status]).toEqual([key, 201]);
    }
    const cards = page.locator('[data-rollout]');
    await page.getByRole('button', { name: 'Show more (7 left)' }).click();
    expect(await cards.count()).toBe(drafts.length + 1);
    await page.getByRole('searchbox', { name: 'Search rollouts' }).fill('29 DRAFT');
    await page.getByText('1 of 31').waitFor();
    expect(await cards.evaluateAll((found) => found.map((card) => card.getAttribute('data-rollout')))).toEqual(['draft-29']);
    expect(await seriousViolations(page)).toEqual([]);
    await page.close();
  }, 60_000);
});
