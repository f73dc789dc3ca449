/** Whether answers are what the services' documents say of them, field by field. */

import { answerSchemas } from '@rampart/analysis/answers';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Answer, Platform } from './platform.js';

type Schema = Readonly<Record<string, unknown>>;
interface Described {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

/** As JSON Schema what OpenAPI 3.0 says in words of its own (null, bounds that are left out); and an object with fields has no other ones. */
const strict = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(strict);
  if (!isSchema(value)) return value;
  const { nullable, ...inner } = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, key === 'enum' ? one : strict(one)]));
  const bounds = [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const;
  for (const [bound, isLeftOut] of bounds)
    if (inner[isLeftOut] === true) {
      inner[isLeftOut] = inner[bound];
      delete inner[bound];
    }
  const closed = isSchema(inner.properties) && inner.type === 'object' ? { additionalProperties: false, ...inner } : inner;
  return nullable === true ? { anyOf: [closed, { type: 'null' }] } : closed;
};

/** Most are never asked for, and to compile one takes a while. */
const onceOf = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

const knowing = (schemas: Readonly<Record<string, Schema>>): Ajv => {
  const ajv = new Ajv({ strict: false, validateFormats: false, inlineRefs: false });
  return ajv.addSchema({ $id: 'service', components: { schemas: strict(schemas) } });
};

/** References are to the service's document. */
const compiled = (ajv: Ajv, schema: Schema): ValidateFunction =>
  ajv.compile(JSON.parse(JSON.stringify(strict(schema)).replaceAll('"#/components/', '"service#/components/')));

const firstOf = ({ errors }: ValidateFunction): string => {
  const [first] = errors ?? [];
  return `${first?.instancePath} ${first?.message} ${JSON.stringify(first?.params)}`;
};

export class DescribedAnswers {
  private constructor(private readonly checks: ReadonlyMap<string, () => ValidateFunction>) {}

  static async of(platform: Platform): Promise<DescribedAnswers> {
    const checks = new Map<string, () => ValidateFunction>();
    for (const service of ['experiments', 'assignment', 'ingestion', 'analysis']) {
      const { paths, components } = (await platform.call('GET', `/docs/${service}/docs-json`)).body as Document;
      const ajv = knowing(components.schemas);
      for (const [path, methods] of Object.entries(paths))
        for (const [method, { responses }] of Object.entries(methods))
          for (const [status, { content }] of Object.entries(responses)) {
            const schema = content?.['application/json']?.schema;
            if (schema !== undefined)
              checks.set(
                `${method.toUpperCase()} ${path} ${status}`,
                onceOf(() => compiled(ajv, schema)),
              );
          }
    }
    return new DescribedAnswers(checks);
  }

  get size(): number {
    return this.checks.size;
  }

  /** @returns what is there and is not described, or the other way round */
  difference(method: string, path: string, { status, headers, body }: Answer): string | undefined {
    if (headers.get('content-type')?.startsWith('application/json') !== true) return undefined;
    const check = this.checks.get(`${method} ${path} ${status}`)?.();
    if (check === undefined || check(body)) return undefined;
    return firstOf(check);
  }
}

const ofResults = onceOf(() => compiled(knowing(answerSchemas.schemas), { $ref: '#/components/schemas/Results' }));

/**
 * Results as they came.
 * @throws Error where they are not what the document of the service says
 */
export const asDescribed = <T>(results: T): T => {
  const check = ofResults();
  if (!check(results)) throw new Error(`results are not as described: ${firstOf(check)}`);
  return results;
};
