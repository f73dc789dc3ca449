/**
 * What the routes of a service answer, as JSON Schema: read off the return types of its controllers, with the comments of their fields. The compiler's own
 * interface tells the types, so that what an interface, a schema of zod or a mapped type stands for is the same.
 */

import { type ClassDeclaration, type MethodDeclaration, type Node, SyntaxKind } from 'typescript/unstable/ast';
import { type Checker, type Symbol as Named, type Program, SymbolFlags, type Type, TypeFlags } from 'typescript/unstable/sync';

export interface Schema {
  readonly [keyword: string]: unknown;
}

/** By the operation's id, which is Controller_method; `schemas` are what they refer to. */
export interface Answers {
  readonly operations: Readonly<Record<string, Schema>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

const has = (type: Type, flags: TypeFlags): boolean => (type.flags & flags) !== 0;
const text = (comment: string): string => comment.replace(/\s+/g, ' ').trim();
const byText = (a: Schema, b: Schema): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
const refTo = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

class Walk {
  readonly schemas: Record<string, Schema> = {};
  private readonly named = new Map<string, number>();

  constructor(
    private readonly checker: Checker,
    /** Whether a declaration is one of ours; others' types are told in place. */
    private readonly isOurs: (path: string) => boolean,
  ) {}

  /** @throws TypeError for what JSON can't hold */
  schemaOf(type: Type): Schema {
    const symbol = type.getAliasSymbol() ?? type.getSymbol();
    const name = this.nameOf(type, symbol);
    if (name === undefined || symbol === undefined) return this.inPlace(type);
    const known = this.named.get(name);
    if (known !== undefined && known !== symbol.id) throw new TypeError(`two types are called ${name}: give one of them a name of its own`);
    if (known === undefined) {
      this.named.set(name, symbol.id);
      const comment = text(symbol.getDocumentationComment(this.checker));
      this.schemas[name] = described(this.inPlace(type), comment);
    }
    return refTo(name);
  }

  /** Of a type that is told once: an interface or an alias of ours without parameters that stands for more than a word. */
  private nameOf(type: Type, symbol: Named | undefined): string | undefined {
    if (symbol === undefined || symbol.name.startsWith('__')) return undefined;
    if (!symbol.declarations.some(({ path }) => this.isOurs(path))) return undefined;
    if (type.getAliasTypeArguments().length > 0 || has(type, TypeFlags.BooleanLike | TypeFlags.StringLike | TypeFlags.NumberLike))
      return undefined;
    if (type.isTypeReference() && this.checker.getTypeArguments(type).length > 0) return undefined;
    const isObject = has(type, TypeFlags.Object) && !this.checker.isArrayLikeType(type);
    return isObject || (type.isUnionType() && type.getTypes().length > 1) ? symbol.name : undefined;
  }

  private inPlace(type: Type): Schema {
    if (has(type, TypeFlags.Any | TypeFlags.Unknown)) return {};
    if (has(type, TypeFlags.StringLiteral | TypeFlags.NumberLiteral | TypeFlags.BooleanLiteral) && type.isLiteralType())
      return { type: typeof type.value, enum: [type.value] };
    if (has(type, TypeFlags.StringLike)) return { type: 'string' };
    if (has(type, TypeFlags.NumberLike)) return { type: 'number' };
    if (has(type, TypeFlags.Boolean)) return { type: 'boolean' };
    if (has(type, TypeFlags.Null)) return { nullable: true, type: 'object', enum: [null] };
    if (type.isUnionType()) return this.union(type.getTypes());
    if (type.isIntersectionType()) {
      // A primitive with a mark that only the compiler sees.
      const primitive = type.getTypes().find((part) => has(part, TypeFlags.StringLike | TypeFlags.NumberLike));
      return primitive === undefined ? this.object(type) : this.inPlace(primitive);
    }
    if (has(type, TypeFlags.Object)) return this.list(type) ?? this.object(type);
    throw new TypeError(`${this.checker.typeToString(type)} is nothing that JSON can hold`);
  }

  private union(types: readonly Type[]): Schema {
    const present = types.filter((type) => !has(type, TypeFlags.Undefined | TypeFlags.Void));
    const parts = present.filter((type) => !has(type, TypeFlags.Null));
    const one = this.oneOf(parts);
    if (parts.length === present.length) return one;
    return '$ref' in one ? { nullable: true, allOf: [one] } : { nullable: true, ...one };
  }

  private oneOf(types: readonly Type[]): Schema {
    const words = types.filter((type) => has(type, TypeFlags.StringLiteral)).map((type) => (type.isLiteralType() ? type.value : ''));
    const isTruth = types.filter((type) => has(type, TypeFlags.BooleanLiteral)).length === 2;
    const others = types.filter((type) => !has(type, TypeFlags.StringLiteral) && !(isTruth && has(type, TypeFlags.BooleanLiteral)));
    const all: Schema[] = others.map((type) => this.schemaOf(type));
    if (words.length > 0) all.push({ type: 'string', enum: words.sort() });
    if (isTruth) all.push({ type: 'boolean' });
    const [first] = all;
    return first !== undefined && all.length === 1 ? first : { anyOf: all.sort(byText) };
  }

  private list(type: Type): Schema | undefined {
    if (!this.checker.isArrayLikeType(type) || !type.isTypeReference()) return undefined;
    const items = this.checker.getTypeArguments(type);
    if (!this.checker.isTupleType(type)) return { type: 'array', items: items[0] === undefined ? {} : this.schemaOf(items[0]) };
    return { type: 'array', minItems: items.length, maxItems: items.length, items: this.oneOf(items) };
  }

  private object(type: Type): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const property of this.checker.getPropertiesOfType(type)) {
      const valueType = this.checker.getTypeOfSymbol(property);
      if (valueType === undefined || has(valueType, TypeFlags.Never | TypeFlags.Undefined)) continue; // never there
      if (this.checker.getPropertiesOfType(valueType).some(({ name }) => name === 'bind'))
        throw new TypeError(`${property.name} of ${this.checker.typeToString(type)} is a function`);
      properties[property.name] = described(this.schemaOf(valueType), text(property.getDocumentationComment(this.checker)));
      const mayBeAbsent = valueType.isUnionType() && valueType.getTypes().some((part) => has(part, TypeFlags.Undefined));
      if ((property.flags & SymbolFlags.Optional) === 0 && !mayBeAbsent) required.push(property.name);
    }
    const [rest] = this.checker.getIndexInfosOfType(type);
    return {
      type: 'object',
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
      ...(rest === undefined ? {} : { additionalProperties: this.schemaOf(rest.valueType) }),
    };
  }
}

/** What stands beside a reference is not read. */
const described = (schema: Schema, description: string): Schema => {
  if (description === '') return schema;
  return '$ref' in schema ? { description, allOf: [schema] } : { description, ...schema };
};

const nameOfDecorator = (node: Node): string => {
  if (node.kind !== SyntaxKind.Decorator) return '';
  const { expression } = node as unknown as { readonly expression: { readonly expression?: { readonly text?: string } } };
  return expression.expression?.text ?? '';
};
const routes = ['Get', 'Post', 'Put', 'Delete', 'Patch', 'All'];

/** The methods that answer a route, as Controller_method. */
function* routesIn(program: Program, path: string): Generator<readonly [id: string, method: MethodDeclaration]> {
  const found: [string, MethodDeclaration][] = [];
  program.getSourceFile(path)?.forEachChild((node: Node) => {
    if (node.kind !== SyntaxKind.ClassDeclaration) return;
    const { name, members } = node as ClassDeclaration;
    for (const member of members) {
      if (member.kind !== SyntaxKind.MethodDeclaration) continue;
      const method = member as MethodDeclaration;
      if (method.modifiers?.some((modifier) => routes.includes(nameOfDecorator(modifier))) === true)
        found.push([`${name?.text}_${(method.name as { readonly text?: string }).text}`, method]);
    }
  });
  yield* found;
}

/** A table is another media type than the object it is made of. */
const withoutText = (schema: Schema): Schema => {
  const { anyOf } = schema as { readonly anyOf?: readonly Schema[] };
  const objects = anyOf?.filter((one) => one.type !== 'string') ?? [];
  return objects.length === 1 && objects[0] !== undefined ? objects[0] : schema;
};

/** What the promise of a method holds; undefined where it writes its answer by itself, or gives a stream. */
const answerOf = (checker: Checker, method: MethodDeclaration): Type | undefined => {
  const signature = checker.getSignatureFromDeclaration(method);
  const returned = signature === undefined ? undefined : checker.getReturnTypeOfSignature(signature);
  const held = returned?.getSymbol()?.name === 'Promise' && returned.isTypeReference() ? checker.getTypeArguments(returned)[0] : returned;
  if (held === undefined || has(held, TypeFlags.Void | TypeFlags.Undefined | TypeFlags.Unknown | TypeFlags.Any)) return undefined;
  return ['StreamableFile', 'Observable'].includes(held.getSymbol()?.name ?? '') ? undefined : held;
};

/** @param folder  the service's sources, whose controllers are read */
export const answersIn = (program: Program, checker: Checker, folder: string, isOurs: (path: string) => boolean): Answers => {
  const walk = new Walk(checker, isOurs);
  const operations: Record<string, Schema> = {};
  const files = program.getSourceFileNames().filter((path) => path.startsWith(folder) && /controllers?\.ts$/.test(path));
  for (const path of [...files].sort())
    for (const [id, method] of routesIn(program, path)) {
      const answer = answerOf(checker, method);
      if (answer !== undefined) operations[id] = withoutText(walk.schemaOf(answer));
    }
  const schemas = Object.fromEntries(Object.entries(walk.schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { operations, schemas };
};
