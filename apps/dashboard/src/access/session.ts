/** Who is signed in: a key, kept for as long as this tab lives, and what it looks at. */
export interface Session {
  readonly key: string;
  readonly project: string;
  readonly environment: string;
}

const PLACE = 'rampart.session';

export const readSession = (): Session | undefined => {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(PLACE) ?? 'null');
    return isSession(found) ? found : undefined;
  } catch {
    return undefined;
  }
};

export const keepSession = (session: Session): void => sessionStorage.setItem(PLACE, JSON.stringify(session));
export const forgetSession = (): void => sessionStorage.removeItem(PLACE);

const isSession = (found: unknown): found is Session => {
  if (typeof found !== 'object' || found === null) return false;
  const { key, project, environment } = found as Record<string, unknown>;
  return typeof key === 'string' && typeof project === 'string' && typeof environment === 'string';
};
