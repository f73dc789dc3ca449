/** Which process a pid means: a pid alone is reused, and a killed process may linger as a zombie that still answers to signals. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

const fromProc = (pid: number): string | undefined => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may itself hold spaces and brackets: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  return state === 'Z' || state === 'X' ? undefined : `${bootId()}/${fields[19]}`;
};

const fromPs = (pid: number): string | undefined => {
  const { stdout, status } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const text = status === 0 ? stdout.trim() : '';
  return text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '');
};

/** A text that stays the same as long as this process lives and that no later process with the same pid has; undefined when it is dead. */
export const identityOf = (pid: number): string | undefined => {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
};

export const isAlive = (pid: number): boolean => identityOf(pid) !== undefined;

/** The command line, or '' when the process is dead or hidden from us. */
export const commandLineOf = (pid: number): string => {
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** Signals in turn, each with its patience, until the process is gone. */
export const endProcess = async (pid: number, steps: readonly { signal: NodeJS.Signals; patienceMs: number }[]): Promise<boolean> => {
  for (const { signal, patienceMs } of steps) {
    try {
      process.kill(pid, signal);
    } catch {
      return !isAlive(pid);
    }
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      if (!isAlive(pid)) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return !isAlive(pid);
};
