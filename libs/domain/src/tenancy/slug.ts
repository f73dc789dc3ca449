/** Which keys people may give to projects, environments, metrics, features and experiments. They are forever: events, logs and addresses carry them. */
import { DomainError } from '../errors.js';

const PATTERN = /^[a-z0-9][a-z0-9._-]{0,79}$/;

/** Words that addresses use already, that programs write where a name is missing, or that every object of theirs has. */
export const RESERVED_SLUGS: ReadonlySet<string> = new Set(['constructor', 'null', 'preview', 'undefined', 'validate']);

/** Refuses a key that is no slug or is taken by the platform. */
export const requireSlug = (what: string, slug: string): void => {
  const path = '/key';
  if (!PATTERN.test(slug)) {
    const message = `the ${what} key "${slug}" (${slug.length} characters) must be 1–80 of a-z, 0-9, dot, dash, underscore, beginning with a letter or digit`;
    throw new DomainError('invalid-slug', message, { path, slug });
  }
  if (RESERVED_SLUGS.has(slug))
    throw new DomainError('reserved-slug', `"${slug}" is reserved and can't be a ${what} key: choose another, e.g. "${slug}-1"`, {
      path,
      slug,
    });
};
