/**
 * Whether a value has the shape of an event: the contract `cloudEvent`, written by hand, since a schema library costs as much as parsing does.
 * Values and instants are not looked into here: see event-rows.ts.
 */
import { type CloudEvent, EVENT_TYPES, isFitText, LIMITS } from '@rampart/contracts';
import { type Rejection, rejected, segment } from './rejection.js';

type Fields = Readonly<Record<string, unknown>>;

const UNIT_FIELDS = new Set(['type', 'id']);
const NAMED_FIELDS = new Set(['unit', 'also', 'name', 'value', 'properties']);
const ASSIGNED_FIELDS = new Set(['unit', 'also', 'experiment', 'variant', 'segment', 'reason', 'properties']);
const COMPLETED_FIELDS = new Set(['until']);
const REASONS = new Set<unknown>(['SPLIT', 'OVERRIDE', 'USER_CHANNEL', 'HOLDOUT', 'STATIC']);
const OPTIONAL_TEXTS = ['time', 'sentat', 'knownat', 'datacontenttype', 'dataschema', 'subject'] as const;
const MAX_SEGMENT = 65_535;

/** @returns the first reason against it, or undefined: then the value is a `CloudEvent` but for its numbers and instants */
export const checkEvent = (value: unknown): Rejection | undefined => {
  if (!isObject(value)) return rejected('not-an-object', '', `an event is a JSON object, got ${kindOf(value)}`);
  return checkEnvelope(value) ?? checkData(value.type as CloudEvent['type'], value.data);
};

const checkEnvelope = (event: Fields): Rejection | undefined => {
  const { type, specversion } = event;
  if (type === undefined) return rejected('missing', '/type', `type is missing; one of ${EVENT_TYPES.join(', ')}`);
  if (!(EVENT_TYPES as readonly unknown[]).includes(type))
    return rejected('unknown-type', '/type', `${shown(type)} is no type of event; one of ${EVENT_TYPES.join(', ')}`);
  if (specversion !== '1.0') {
    if (specversion === undefined) return rejected('missing', '/specversion', 'specversion is missing; it must be "1.0"');
    return rejected('unsupported-specversion', '/specversion', `specversion must be "1.0", got ${shown(specversion)}`);
  }
  return checkText(event.id, '/id', LIMITS.idLength) ?? checkText(event.source, '/source', LIMITS.nameLength) ?? checkOptionalTexts(event);
};

const checkOptionalTexts = (event: Fields): Rejection | undefined => {
  for (const name of OPTIONAL_TEXTS) {
    const value = event[name];
    if (value !== undefined && typeof value !== 'string')
      return rejected('wrong-type', `/${name}`, `${name} must be text, got ${kindOf(value)}`);
  }
  return undefined;
};

const checkData = (type: CloudEvent['type'], data: unknown): Rejection | undefined => {
  if (data === undefined) return rejected('missing', '/data', 'data is missing');
  if (!isObject(data)) return rejected('wrong-type', '/data', `data must be an object, got ${kindOf(data)}`);
  switch (type) {
    case 'metric.v1':
    case 'feedback.v1':
      return (
        checkUnits(data) ??
        checkText(data.name, '/data/name', LIMITS.nameLength) ??
        checkProperties(data) ??
        checkFields(data, NAMED_FIELDS, '/data')
      );
    case 'exposure.v1':
    case 'assignment.v1':
      return checkUnits(data) ?? checkAssigned(data) ?? checkProperties(data) ?? checkFields(data, ASSIGNED_FIELDS, '/data');
    case 'import.completed.v1':
      return checkCompleted(data);
  }
};

const checkUnits = (data: Fields): Rejection | undefined => {
  const wrong = checkUnit(data.unit, '/data/unit');
  if (wrong !== undefined || data.also === undefined) return wrong;
  const { also } = data;
  if (!Array.isArray(also)) return rejected('wrong-type', '/data/also', `also must be an array of units, got ${kindOf(also)}`);
  if (also.length > LIMITS.unitReferences)
    return rejected('too-many', '/data/also', `also names ${also.length} units; at most ${LIMITS.unitReferences}`);
  for (let index = 0; index < also.length; index += 1) {
    const wrongOne = checkUnit(also[index], `/data/also/${index}`);
    if (wrongOne !== undefined) return wrongOne;
  }
  return undefined;
};

const checkUnit = (unit: unknown, path: string): Rejection | undefined => {
  if (unit === undefined) return rejected('missing', path, 'unit is missing: {"type": …, "id": …}');
  if (!isObject(unit)) return rejected('wrong-type', path, `a unit is {"type": …, "id": …}, got ${kindOf(unit)}`);
  // Paths are put together only for what is wrong: this runs for every event.
  if (isText(unit.type, LIMITS.nameLength) && isText(unit.id, LIMITS.unitIdLength)) return checkFields(unit, UNIT_FIELDS, path);
  return checkText(unit.type, `${path}/type`, LIMITS.nameLength) ?? checkText(unit.id, `${path}/id`, LIMITS.unitIdLength);
};

const checkAssigned = (data: Fields): Rejection | undefined => {
  const wrong =
    checkText(data.experiment, '/data/experiment', LIMITS.nameLength) ?? checkText(data.variant, '/data/variant', LIMITS.nameLength);
  if (wrong !== undefined) return wrong;
  const { segment: number, reason } = data;
  if (number !== undefined) {
    if (typeof number !== 'number' || !Number.isSafeInteger(number))
      return rejected('wrong-type', '/data/segment', `segment must be a whole number, got ${shown(number)}`);
    if (number < 0 || number > MAX_SEGMENT)
      return rejected('value-out-of-range', '/data/segment', `segment must be in 0 … ${MAX_SEGMENT}, got ${number}`);
  }
  if (reason === undefined || REASONS.has(reason)) return undefined;
  return rejected('wrong-type', '/data/reason', `reason must be one of ${[...REASONS].join(', ')}, or absent; got ${shown(reason)}`);
};

const checkCompleted = (data: Fields): Rejection | undefined => {
  if (data.until !== undefined && typeof data.until !== 'string')
    return rejected('wrong-type', '/data/until', `until must be text, got ${kindOf(data.until)}`);
  return checkFields(data, COMPLETED_FIELDS, '/data');
};

const checkProperties = (data: Fields): Rejection | undefined => {
  const { properties } = data;
  if (properties === undefined) return undefined;
  if (!isObject(properties)) return rejected('wrong-type', '/data/properties', `properties must be an object, got ${kindOf(properties)}`);
  let count = 0;
  for (const name in properties) {
    count += 1;
    if (count > LIMITS.properties)
      return rejected(
        'too-many',
        '/data/properties',
        `there are ${Object.keys(properties).length} properties; at most ${LIMITS.properties}`,
      );
    const value = properties[name];
    if (isText(name, LIMITS.nameLength) && isPropertyValue(value)) continue;
    return wrongProperty(name, value);
  }
  return undefined;
};

const isPropertyValue = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length <= LIMITS.propertyLength && isFitText(value)
    : typeof value === 'number'
      ? Number.isFinite(value)
      : typeof value === 'boolean';

const wrongProperty = (name: string, value: unknown): Rejection => {
  const path = `/data/properties/${segment(name)}`;
  if (name === '') return rejected('missing', path, 'a property needs a name');
  if (name.length > LIMITS.nameLength)
    return rejected('too-long', path, `a property’s name has ${name.length} characters; at most ${LIMITS.nameLength}`);
  if (!isFitText(name)) return unfit(path, 'a property’s name');
  if (typeof value === 'string' && value.length <= LIMITS.propertyLength) return unfit(path, 'the property');
  if (typeof value === 'string')
    return rejected('too-long', path, `the property has ${value.length} characters; at most ${LIMITS.propertyLength}`);
  if (typeof value === 'number') return rejected('value-out-of-range', path, 'the number is too large for a double');
  return rejected('wrong-type', path, `a property is text, a number or a boolean, got ${kindOf(value)}`);
};

const checkFields = (object: Fields, known: ReadonlySet<string>, path: string): Rejection | undefined => {
  for (const name in object) {
    if (known.has(name)) continue;
    return rejected('unknown-field', `${path}/${segment(name)}`, `${shown(name)} is not known here; known are ${[...known].join(', ')}`);
  }
  return undefined;
};

const isText = (value: unknown, longest: number): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= longest && isFitText(value);

const checkText = (value: unknown, path: string, longest: number): Rejection | undefined => {
  if (isText(value, longest)) return undefined;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (value === undefined) return rejected('missing', path, `${name} is missing`);
  if (typeof value !== 'string') return rejected('wrong-type', path, `${name} must be text, got ${kindOf(value)}`);
  if (value === '') return rejected('missing', path, `${name} is empty`);
  if (value.length > longest) return rejected('too-long', path, `${name} has ${value.length} characters; at most ${longest}`);
  return unfit(path, name);
};

const unfit = (path: string, name: string): Rejection =>
  rejected('not-text', path, `${name} holds U+0000 or half of a surrogate pair, which no UTF-8 text can: leave it out`);

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`);

const LONGEST_SHOWN = 60;
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
};
