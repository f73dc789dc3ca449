/** Versions as texts that sort: 1.9.0 before 1.10.0, 1.0.0-rc.1 before 1.0.0. */

const WIDTH = 5;
/** Sorts behind every letter and digit, so that a release comes after its pre-releases. */
const RELEASE = '~';

/** @param version a number is taken as its text; what is neither that nor a text is version 0 */
export const sortableVersion = (version: unknown): string => {
  const text = typeof version === 'number' ? String(version) : version;
  const given = typeof text === 'string' && text !== '' ? text : '0';
  const withoutBuild = (given.startsWith('v') ? given.slice(1) : given).split('+', 1)[0] ?? '';
  const parts = withoutBuild.split(/[-.]/);
  if (parts.length === 3) parts.push(RELEASE);
  return parts.map((part) => (/^[0-9]+$/.test(part) ? part.padStart(WIDTH, ' ') : part)).join('-');
};
