/** Where the embedded PostgreSQL lives and as whom it runs. PostgreSQL refuses root, so root lends it an unprivileged user and folders that this user can reach. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Refusal } from '../refusal.js';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

export interface PostgresPlace {
  readonly binaries: PostgresBinaries;
  /** Like "18.4". */
  readonly version: string;
  readonly cluster: string;
  /** Undefined: as the launcher itself. */
  readonly user: SystemUser | undefined;
}

/** What root may use when the checkout or the data folder is out of the unprivileged user's reach. */
const rootsOwnPlace = '/var/lib/rampart';
const isRoot = () => process.getuid?.() === 0;

/** May this user walk through a folder with this owner and mode? */
export const mayEnter = (user: SystemUser, folder: { uid: number; gid: number; mode: number }): boolean => {
  const shift = folder.uid === user.uid ? 6 : folder.gid === user.gid ? 3 : 0;
  return ((folder.mode >> shift) & 1) === 1;
};

const canReach = (user: SystemUser, folder: string): boolean =>
  mayEnter(user, statSync(folder)) && (dirname(folder) === folder || canReach(user, dirname(folder)));

/** The user of this name or uid in a passwd file. */
export const userFrom = (passwd: string, wanted: string | number): SystemUser | undefined => {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name !== undefined && (name === wanted || Number(uid) === wanted)) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
};

/** Whoever owns the cluster already, else postgres where that user exists, else nobody. */
const unprivilegedUser = (cluster: string): SystemUser => {
  const passwd = readFileSync('/etc/passwd', 'utf8');
  const owner = existsSync(cluster) ? statSync(cluster) : undefined;
  if (owner !== undefined && owner.uid !== 0) {
    return userFrom(passwd, owner.uid) ?? { name: String(owner.uid), uid: owner.uid, gid: owner.gid };
  }
  const user = userFrom(passwd, 'postgres') ?? userFrom(passwd, 'nobody');
  if (user === undefined) {
    throw new Refusal(
      'PostgreSQL will not run as root, and this system has neither a user "postgres" nor "nobody" to run it as. Start Rampart as another user, or point DATABASE_URL at a PostgreSQL.',
    );
  }
  return user;
};

/** The version, when these binaries run as this user; undefined when they do not. */
const versionOf = (binaries: PostgresBinaries, user: SystemUser | undefined): string | undefined => {
  const { status, stdout } = spawnSync(binaries.postgres, ['--version'], { uid: user?.uid, gid: user?.gid, cwd: '/', encoding: 'utf8' });
  return status === 0 ? /\d+(\.\d+)*/.exec(stdout)?.[0] : undefined;
};

/** A copy that everybody can reach, made once per version. */
const copyOf = (binaries: PostgresBinaries): PostgresBinaries => {
  const native = dirname(dirname(binaries.postgres));
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8'));
  const copy = join(rootsOwnPlace, `postgres-${version}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    chmodSync(unfinished, 0o755);
    try {
      renameSync(unfinished, copy);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(copy)) throw error; // else another start was faster
    }
  }
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
};

const makeRootsOwnPlace = (): void => {
  try {
    mkdirSync(rootsOwnPlace, { recursive: true });
    chmodSync(rootsOwnPlace, 0o755);
  } catch (error) {
    throw new Refusal(
      `PostgreSQL will not run as root, and ${rootsOwnPlace}, where its files could live for another user, cannot be made (${(error as Error).message}). Start Rampart as another user, or point DATABASE_URL at a PostgreSQL.`,
    );
  }
};

const usable = (binaries: PostgresBinaries, user: SystemUser | undefined): { binaries: PostgresBinaries; version: string } => {
  const version = versionOf(binaries, user);
  if (version !== undefined) return { binaries, version };
  if (user !== undefined) {
    makeRootsOwnPlace();
    const copy = copyOf(binaries);
    const copied = versionOf(copy, user);
    if (copied !== undefined) return { binaries: copy, version: copied };
  }
  throw new Refusal(
    `The embedded PostgreSQL (${binaries.postgres}) does not run here. It needs Linux with glibc or macOS; otherwise point DATABASE_URL at a PostgreSQL.`,
  );
};

/** Root's choice for this data folder is written into it: the folder finds its cluster again, and a new folder never finds an old cluster. */
const clusterForRoot = (folder: string): string => {
  const inside = join(folder, 'postgres');
  const record = join(folder, 'postgres-place');
  if (existsSync(record)) return readFileSync(record, 'utf8').trim();
  if (canReach(unprivilegedUser(inside), folder)) return inside;
  makeRootsOwnPlace();
  const home = join(rootsOwnPlace, createHash('sha256').update(folder).digest('hex').slice(0, 12));
  mkdirSync(home, { recursive: true });
  chmodSync(home, 0o755);
  const cluster = join(home, randomBytes(4).toString('hex'));
  writeFileSync(record, `${cluster}\n`);
  return cluster;
};

export const postgresPlace = (folder: string, binaries: PostgresBinaries): PostgresPlace => {
  const cluster = isRoot() ? clusterForRoot(folder) : join(folder, 'postgres');
  const user = isRoot() ? unprivilegedUser(cluster) : undefined;
  if (user === undefined && existsSync(cluster) && statSync(cluster).uid !== process.getuid?.()) {
    throw new Refusal(
      `${cluster} belongs to another user. Start Rampart as that user or as root, or choose another folder with RAMPART_DATA.`,
    );
  }
  return { ...usable(binaries, user), cluster, user };
};
