/** Which addresses an experiment runs on, and where a redirect goes. */
import { compilePattern } from '../conditions/patterns.js';
import { isObject } from '../conditions/predicates.js';
import type { UrlTarget } from './payload.js';

type MatchesUrl = (url: string) => boolean;
const nowhere: MatchesUrl = () => false;
/** Stands for `*` while a pattern is read as an address, in which `*` may be no host. */
const WILDCARD = '_____';
const ANYWHERE = 'https://_';

const parsed = (url: string, base?: string): URL | undefined => {
  try {
    return new URL(url, base);
  } catch {
    return undefined;
  }
};

/** Text with wildcards; case doesn't count; a path's outer slashes are optional. */
const compilePart = (pattern: string, isPath: boolean): MatchesUrl => {
  const escaped = pattern.replace(/[*.+?^${}()|[\]\\]/g, (sign) => `\\${sign}`).replaceAll(WILDCARD, '.*');
  const body = isPath ? `\\/?${escaped.replace(/^\/|\/$/g, '')}\\/?` : escaped;
  return compilePattern(`^${body}$`, true) ?? nowhere;
};

const compileSimple = (pattern: string): ((url: URL) => boolean) => {
  // A host without protocol gets one; a path alone is of any host.
  const expected = parsed(pattern.replace(/^([^:/?]*)\./, 'https://$1.').replaceAll('*', WILDCARD), `https://${WILDCARD}`);
  if (expected === undefined) return () => false;
  const host = compilePart(expected.host, false);
  const path = compilePart(expected.pathname, true);
  const hash = expected.hash === '' ? undefined : compilePart(expected.hash, false);
  const search = [...expected.searchParams].map(([name, value]) => ({ name, matches: compilePart(value, false) }));
  return (url) =>
    host(url.host) &&
    path(url.pathname) &&
    (hash === undefined || hash(url.hash)) &&
    search.every(({ name, matches }) => matches(url.searchParams.get(name) ?? ''));
};

const compileTarget = ({ type, pattern }: Partial<UrlTarget>): ((url: URL) => boolean) => {
  if (typeof pattern !== 'string') return () => false;
  if (type === 'simple') return compileSimple(pattern);
  const matches = type === 'regex' ? compilePattern(pattern, false) : undefined;
  return matches === undefined ? () => false : (url) => matches(url.href) || matches(url.href.slice(url.origin.length));
};

/** Any excluding target that matches: no. Otherwise one including target must match, if there is one. No targets: nowhere. */
export const compileUrlTargets = (targets: readonly UrlTarget[]): MatchesUrl => {
  const compiled = (Array.isArray(targets) ? targets.filter(isObject) : []).map((target: Partial<UrlTarget>) => ({
    excludes: target.include === false,
    matches: compileTarget(target),
  }));
  const including = compiled.filter(({ excludes }) => !excludes);
  const excluding = compiled.filter(({ excludes }) => excludes);
  if (compiled.length === 0) return nowhere;
  return (url) => {
    const actual = parsed(url, ANYWHERE);
    if (actual === undefined) return including.length === 0;
    if (excluding.some(({ matches }) => matches(actual))) return false;
    return including.length === 0 || including.some(({ matches }) => matches(actual));
  };
};

/** The older form: one expression, for the whole address or its path. Without address: no. */
export const compileUrl = (pattern: string | RegExp): MatchesUrl => {
  const { source, ignoreCase } = typeof pattern === 'string' ? { source: pattern, ignoreCase: false } : pattern;
  const matches = typeof source === 'string' ? compilePattern(source, ignoreCase) : undefined;
  if (matches === undefined) return nowhere;
  return (url) => url !== '' && (matches(url) || matches(url.replace(/^https?:\/\//, '').replace(/^[^/]*\//, '/')));
};

/** What the visitor's address asks for travels along, except where the target says otherwise. */
export const withQueryOf = (from: string, to: string): string => {
  const current = parsed(from);
  const target = parsed(to);
  if (current === undefined || target === undefined) return to;
  for (const [name, value] of current.searchParams) if (!target.searchParams.has(name)) target.searchParams.set(name, value);
  return target.toString();
};
