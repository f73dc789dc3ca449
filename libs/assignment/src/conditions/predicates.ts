/** The pieces that conditions are compiled to: functions of one value, and how they combine. */

export type Predicate = (value: unknown) => boolean;

/** Lists of unit ids or attribute values, by id of the group. */
export type SavedGroups = Readonly<Record<string, readonly unknown[]>>;

export const always: Predicate = () => true;
export const never: Predicate = () => false;
export const not =
  (one: Predicate): Predicate =>
  (value) =>
    !one(value);

/** None: holds. */
export const allOf = (parts: readonly Predicate[]): Predicate => {
  const [first, second] = parts;
  if (first === undefined) return always;
  if (second === undefined) return first;
  if (parts.length === 2) return (value) => first(value) && second(value);
  return (value) => {
    for (const part of parts) if (!part(value)) return false;
    return true;
  };
};

/** None: does not hold. */
export const anyOf = (parts: readonly Predicate[]): Predicate => {
  if (parts.length === 1) return parts[0] ?? never;
  return (value) => {
    for (const part of parts) if (part(value)) return true;
    return false;
  };
};

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
