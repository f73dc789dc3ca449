/**
 * A browser for the tests that look at the page. With CI=true and as root it is installed, as everything else that a clean machine lacks; on a
 * person's machine it is left to them: what is missing is said at the end of the run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const places = [process.env.RAMPART_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const chromium = () => places.find((path) => path !== undefined && path !== '' && existsSync(path));

const apt = (...args) =>
  spawnSync('apt-get', ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: 'ignore',
    timeout: 600_000,
  }).status === 0;

/** @returns its path, or undefined where there is none; then the tests are left out, which CI=true calls a failure. */
export const ensureChromium = () => {
  const found = chromium();
  if (found !== undefined || process.env.CI !== 'true' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return found;
  process.stderr.write('Installing Chromium for the tests of the page …\n');
  const install = () => apt('install', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');
  if (!install() && apt('update')) install();
  return chromium();
};
