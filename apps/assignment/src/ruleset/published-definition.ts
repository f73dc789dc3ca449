/** One message of `definitions.v1` as it is kept: what it defines, since when, and the place that a newer one takes over. */
import { EVERYWHERE, type PublishedValue } from '@rampart/contracts';

export interface PublishedDefinition {
  /** What a newer definition replaces; of an experiment each version stays, since a state names its own. */
  readonly slot: string;
  readonly project: string;
  readonly id: string;
  /** `-` where it belongs to a whole project. */
  readonly environment: string;
  readonly revision: number;
  readonly knownAtUs: number;
  readonly published: PublishedValue;
}

/** What a tombstone of a key takes away: the slot, as long as that revision is in it. Undefined for what assignment does not keep. */
export const removedDefinition = (key: string): Pick<PublishedDefinition, 'slot' | 'revision'> | undefined => {
  const parts = key.split('/');
  const [family, project = '', kind = '', id = '', place = ''] = parts;
  if (family !== 'v' && family !== 'h') return undefined;
  const revision = Number(parts.at(-1));
  const hasState = family === 'h' && (kind === 'feature' || kind === 'experiment');
  const environment = family === 'h' ? place : EVERYWHERE;
  const version = family === 'v' && kind === 'experiment' ? `/${place}` : '';
  return { slot: `${kind}${hasState ? '-state' : ''}/${project}/${id}/${environment}${version}`, revision };
};

/**
 * @returns undefined for what assignment does not need: pointers, metrics, ticks
 * @throws when the message can't be read
 */
export const publishedDefinition = (key: string, value: Uint8Array, knownAtUs: number): PublishedDefinition | undefined => {
  const parts = key.split('/');
  const [family, project = '', , id = '', place = ''] = parts;
  if (family !== 'v' && family !== 'h') return undefined;
  const published = JSON.parse(Buffer.from(value).toString('utf8')) as PublishedValue;
  if (published.kind === 'metric') return undefined;
  const revision = Number(parts.at(-1));
  if (!Number.isSafeInteger(revision)) throw new RangeError(`no revision in ${key}`);
  const environment = family === 'h' ? place : EVERYWHERE;
  const version = published.kind === 'experiment' ? `/${published.version}` : '';
  return { slot: `${published.kind}/${project}/${id}/${environment}${version}`, project, id, environment, revision, knownAtUs, published };
};
