/** A disk of a few megabytes of one engine's own that can be filled and emptied: a file with ext4 on a loop device. Linux, as root. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (command: string, ...args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr?.trim() || error?.message}`);
};

export class SmallDisk {
  private constructor(
    private readonly folderOfAll: string,
    /** Where it is mounted. */
    readonly folder: string,
  ) {}

  /** @throws with a sentence where this machine lends no loop device: such disks need Linux, root and e2fsprogs */
  static make(megabytes: number): SmallDisk {
    const all = mkdtempSync(join(tmpdir(), 'rampart-disk-'));
    const [image, folder] = [join(all, 'image'), join(all, 'disk')];
    try {
      // PostgreSQL runs as a user of its own.
      chmodSync(all, 0o755);
      writeFileSync(image, '');
      truncateSync(image, megabytes * 2 ** 20);
      run('mkfs.ext4', '-q', '-m', '0', '-E', 'lazy_itable_init=1', image);
      run('mkdir', folder);
      run('mount', '-o', 'loop', image, folder);
    } catch (error) {
      rmSync(all, { recursive: true, force: true });
      throw new Error(`A disk that can be full needs Linux, root and mkfs.ext4: ${error instanceof Error ? error.message : error}`);
    }
    return new SmallDisk(all, folder);
  }

  /** Not a byte is left. Whoever writes at the same time may get the last ones, so that it is filled until nothing more goes in. */
  fill(): void {
    for (let part = 0; this.freeBytes() > 0 && part < 100; part += 1) {
      spawnSync('fallocate', ['-l', String(this.freeBytes()), this.ballast(part)]);
      spawnSync('dd', ['if=/dev/zero', `of=${this.ballast(part)}`, 'bs=4k', 'oflag=append', 'conv=notrunc', 'status=none']);
    }
  }

  empty(): void {
    spawnSync('sh', ['-c', `rm -f ${join(this.folder, 'ballast-')}*`]);
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Nobody may use it any more. */
  remove(): void {
    // A process that was killed a moment ago may hold a file of it still.
    spawnSync('umount', ['-l', this.folder]);
    rmSync(this.folderOfAll, { recursive: true, force: true });
  }

  private ballast(part: number): string {
    return join(this.folder, `ballast-${part}`);
  }
}
