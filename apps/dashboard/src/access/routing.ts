/** Addresses behind the #: so that a reload and a shared link show the same page, and keys of sign-in links never reach a server. */
import { useSyncExternalStore } from 'react';

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'rollout'; readonly key: string }
  | { readonly page: 'experiment'; readonly key: string }
  | { readonly page: 'record'; readonly id: string }
  | { readonly page: 'plan' }
  | { readonly page: 'sign-in'; readonly code: string | undefined }
  | { readonly page: 'unknown'; readonly path: string };

export const routeOf = (hash: string): Route => {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [room = '', id = '', ...rest] = path.split('/').map(decoded);
  if (rest.length > 0) return { page: 'unknown', path };
  if (room === '' && id === '') return { page: 'overview' };
  if (room === 'sign-in' && id === '') return { page: 'sign-in', code: new URLSearchParams(query).get('code') ?? undefined };
  // What it asks stands behind the ?, and is the page's own to read.
  if (room === 'plan' && id === '') return { page: 'plan' };
  if (room === 'rollouts' && id !== '') return { page: 'rollout', key: id };
  if (room === 'experiments' && id !== '') return { page: 'experiment', key: id };
  if (room === 'records' && id !== '') return { page: 'record', id };
  return { page: 'unknown', path };
};

export const linkTo = {
  overview: '#/',
  signIn: '#/sign-in',
  rollout: (key: string) => `#/rollouts/${encodeURIComponent(key)}`,
  experiment: (key: string) => `#/experiments/${encodeURIComponent(key)}`,
  plan: (query = '') => (query === '' ? '#/plan' : `#/plan?${query}`),
  record: (id: string) => `#/records/${encodeURIComponent(id)}`,
} as const;

export const useRoute = (): Route => routeOf(useSyncExternalStore(onHash, () => location.hash));

const onHash = (changed: () => void) => {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};
