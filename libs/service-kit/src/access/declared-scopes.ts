/** A service does not start with a route that says nothing of who may call it: forgetting is no way to open one. */
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type RouteScope, SCOPE } from './scope.js';

/** @throws RangeError that names every handler without `@Scope` */
export const requireScopes = (app: NestFastifyApplication): void => {
  const missing = undeclared(app);
  if (missing.length === 0) return;
  throw new RangeError(`${missing.join(', ')}: each route must declare a @Scope, or be @Open`);
};

const undeclared = (app: NestFastifyApplication): readonly string[] => {
  const reflector = new Reflector();
  const scanner = new MetadataScanner();
  const controllers = [...app.get(ModulesContainer).values()].flatMap(({ controllers: found }) => [...found.values()]);
  return controllers.flatMap(({ metatype }) => {
    if (typeof metatype !== 'function') return [];
    const prototype = metatype.prototype as Readonly<Record<string, unknown>>;
    const names = scanner.getAllMethodNames(prototype).filter((name) => Reflect.hasMetadata(PATH_METADATA, prototype[name] as object));
    return names
      .filter((name) => {
        const handler = prototype[name] as () => unknown;
        return reflector.getAllAndOverride<RouteScope | undefined>(SCOPE, [handler, metatype]) === undefined;
      })
      .map((name) => `${metatype.name}.${name}`);
  });
};
