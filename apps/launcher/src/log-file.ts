/** A log on disk that never outgrows its share and never takes the platform down with it. */
import { createWriteStream, mkdirSync, readFileSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';

const sizeOf = (path: string): number => {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
};

export class LogFile {
  private stream: WriteStream | undefined;
  private size: number;

  /** Keeps `files` files of at most `maxBytes` each: path, path.1, path.2 … */
  constructor(
    readonly path: string,
    private readonly maxBytes = 10 * 1024 * 1024,
    private readonly files = 3,
  ) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.size = sizeOf(path);
  }

  write(chunk: string | Buffer): void {
    if (this.size >= this.maxBytes) this.rotate();
    if (this.stream === undefined) this.open();
    this.size += Buffer.byteLength(chunk);
    this.stream?.write(chunk);
  }

  /** The last lines, for a sentence about why something did not start. */
  tail(lines: number): string {
    try {
      return readFileSync(this.path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '';
    }
  }

  private open(): void {
    const stream = createWriteStream(this.path, { flags: 'a', mode: 0o600 });
    // A full disk loses log lines, not the platform; the next write tries again.
    stream.on('error', () => {
      if (this.stream === stream) this.stream = undefined;
    });
    this.stream = stream;
  }

  private rotate(): void {
    this.stream?.end();
    this.stream = undefined;
    this.size = 0;
    for (let n = this.files - 1; n >= 1; n--) {
      try {
        renameSync(n === 1 ? this.path : `${this.path}.${n - 1}`, `${this.path}.${n}`);
      } catch {
        // Not there yet.
      }
    }
  }
}
