/** Where the broker's jars are: fetched once by Maven into the user's cache, outside of the repository. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const pom = join(import.meta.dirname, 'pom.xml');
const oldestJava = 17;

const cacheFolder = () => {
  const { XDG_CACHE_HOME } = process.env;
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
};

/** @throws with a sentence for people when Java is absent or too old */
export const checkJava = () => {
  const { status, stderr, error } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/.exec(stderr ?? '')?.[1]);
  if (error !== undefined || status !== 0) {
    throw new Error(
      `A Kafka broker needs Java ${oldestJava} or newer, and there is no working "java" on the PATH. Install one (Debian: apt install openjdk-17-jre-headless) and try again.`,
    );
  }
  if (version < oldestJava) throw new Error(`A Kafka broker needs Java ${oldestJava} or newer, but "java" on the PATH is ${version}.`);
};

/**
 * The folder that holds the jars; the first call on a machine takes Maven and some seconds.
 * @throws with a sentence for people when Maven is absent or can't fetch them
 */
export const brokerJars = async () => {
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const root = join(cacheFolder(), 'rampart', 'kafka');
  const folder = join(root, version);
  if (existsSync(folder)) return folder;
  const fetching = join(root, `fetching-${process.pid}-${randomBytes(4).toString('hex')}`);
  mkdirSync(fetching, { recursive: true });
  try {
    // A copy: Maven writes beside its pom.
    copyFileSync(pom, join(fetching, 'pom.xml'));
    await fetchInto(fetching);
    // Whoever is first wins; the others throw their copy away.
    if (!existsSync(folder)) renameSync(join(fetching, 'jars'), folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(fetching, { recursive: true, force: true });
  }
  return folder;
};

const fetchInto = (folder) =>
  new Promise((resolve, reject) => {
    // Java takes its user's home from the system's list of users, where a user of a service or of CI may have none; HOME is what everybody else goes by.
    const home = `-Duser.home=${homedir()}`;
    const args = ['-q', '-B', home, 'dependency:copy-dependencies', '-DoutputDirectory=jars', '-DincludeScope=runtime'];
    const maven = spawn('mvn', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [maven.stdout, maven.stderr]) stream.on('data', (text) => (said = `${said}${text}`.slice(-2000)));
    maven.once('error', () =>
      reject(
        new Error(
          'Maven fetches the jars of the Kafka broker, and there is no "mvn" on the PATH. Install it (Debian: apt install maven) and try again.',
        ),
      ),
    );
    maven.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`Maven could not fetch the jars of the Kafka broker (exit code ${code}): ${said.trim()}`)),
    );
  });
