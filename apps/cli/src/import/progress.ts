/** One line that says how far a long piece of work is: rewritten on a terminal, repeated every few seconds elsewhere. */

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const TTY_MS = 200;
const PLAIN_MS = 5_000;

export class Progress {
  private lastMs: number;
  private shown = '';

  constructor(
    private readonly output: Output,
    private readonly nowMs: () => number,
    /** Between two lines where they are not rewritten. */
    private readonly plainMs = PLAIN_MS,
  ) {
    this.lastMs = nowMs();
  }

  /** A sentence that stays. */
  say(sentence: string): void {
    this.clear();
    this.lastMs = this.nowMs();
    this.output.write(`${sentence}\n`);
  }

  /** Shows the line if it is time to; `line` is made only then. */
  show(line: () => string): void {
    const now = this.nowMs();
    if (now - this.lastMs < (this.output.isTTY === true ? TTY_MS : this.plainMs)) return;
    this.lastMs = now;
    if (this.output.isTTY !== true) {
      this.output.write(`${line()}\n`);
      return;
    }
    this.clear();
    this.shown = line();
    this.output.write(this.shown);
  }

  clear(): void {
    if (this.shown === '') return;
    this.output.write(`\r${' '.repeat(this.shown.length)}\r`);
    this.shown = '';
  }
}

/** `12,345 of 90,189 rows, 21,000 rows/s, 4 s left` */
export const pace = (done: number, total: number, elapsedMs: number): string => {
  const perSecond = elapsedMs <= 0 ? 0 : (done * 1000) / elapsedMs;
  const left = perSecond === 0 ? '' : `, ${duration(((total - done) * 1000) / perSecond)} left`;
  return `${count(done)} of ${count(total)} rows, ${count(Math.round(perSecond))} rows/s${left}`;
};

export const count = (number: number): string => number.toLocaleString('en-US');

export const duration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
