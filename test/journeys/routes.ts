/** Every route of the platform, as its services describe them. */
import type { Platform } from './platform.js';

export interface Route {
  readonly method: string;
  /** With its parameters in braces: `/v1/metrics/{key}`. */
  readonly path: string;
  readonly queries: readonly string[];
  /** Every role that it says may call it; undefined where it says nothing. */
  readonly roles: readonly string[] | undefined;
  /** What an answer of success holds, or its type of media, is told. */
  readonly isAnswerTold: boolean;
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
  readonly 'x-rampart-scope'?: { readonly roles: readonly string[] };
}
type Described = Record<string, Operation>;

export const routesOf = async (platform: Platform): Promise<readonly Route[]> => {
  const found: Route[] = [];
  for (const service of ['experiments', 'assignment', 'ingestion', 'analysis']) {
    const { paths } = (await platform.call('GET', `/docs/${service}/docs-json`)).body;
    for (const [path, methods] of Object.entries<Described>(paths))
      for (const [method, { parameters = [], responses, 'x-rampart-scope': scope }] of Object.entries(methods)) {
        const queries = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
        const isAnswerTold = Object.entries(responses).some(([status, { content }]) => /^2/.test(status) && content !== undefined);
        found.push({ method: method.toUpperCase(), path, queries, roles: scope?.roles, isAnswerTold });
      }
  }
  return found;
};
