/** One at a time: a lock that a dead process never holds. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  try {
    // A zombie answers to signals.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true; // no /proc: macOS
  }
};

const holderOf = (path) => {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

/** The file appears whole or not at all; false when somebody has it. */
const take = (path) => {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
};

/** Of several that saw a dead holder only one moves its file away; who moved a living one's puts it back. */
const clearDead = (path) => {
  const aside = `${path}.dead-${process.pid}`;
  try {
    renameSync(path, aside);
    if (isAlive(holderOf(aside))) linkSync(aside, path);
  } catch {
    // Another one was faster.
  } finally {
    rmSync(aside, { force: true });
  }
};

export const withLock = async (path, say, work) => {
  let told = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) clearDead(path);
    else if (holder !== undefined && !told) {
      say(`Another setup is at work here (pid ${holder ?? '?'}): waiting for it …`);
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const release = () => rmSync(path, { force: true });
  const onSignal = () => {
    release();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal);
  try {
    return await work();
  } finally {
    release();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, onSignal);
  }
};
