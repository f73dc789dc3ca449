let last: Promise<unknown> = Promise.resolve();

/** A module of `infra`, by its path there. One after another: Jest fails to link two at once that have a third in common. */
export const infraModule = <T>(path: string): Promise<T> => {
  const found = last.then(() => import(new URL(`../../../infra/${path}`, import.meta.url).href) as Promise<T>);
  last = found.catch(() => undefined);
  return found;
};
