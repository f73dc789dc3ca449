/** What processes cost, read from /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of a process so far, in milliseconds, all its threads. */
export const cpuMs = (pid: number): number => {
  // The command's name may hold blanks: the numbers begin after the last bracket.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** Memory of a process that is its own, in bytes: shared pages are divided among those who share them. */
export const memoryBytes = (pid: number): number => {
  try {
    const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return Number(pss?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
};

/** RSS: what the kernel keeps in memory of it, shared pages included, in bytes; 0 when it is gone. */
export const residentBytes = (pid: number): number => {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
};

const parentOf = (pid: string): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return -1;
  }
};

/** A process and everything below it. */
export const treeOf = (root: number): readonly number[] => {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(name)] as const),
  );
  const tree = new Set([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, parent] of parents) {
      if (tree.has(parent) && !tree.has(pid)) {
        tree.add(pid);
        grew = true;
      }
    }
  }
  return [...tree];
};

export const treeMemoryBytes = (root: number): number => treeOf(root).reduce((sum, pid) => sum + memoryBytes(pid), 0);

/** Samples the memory of a tree until stopped; gives the highest sum seen. */
export const peakMemory = (root: number, everyMs = 250): { stop(): number } => {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, treeMemoryBytes(root));
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(peak, treeMemoryBytes(root));
    },
  };
};
