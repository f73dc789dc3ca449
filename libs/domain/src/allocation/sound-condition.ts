/** Which conditions may be kept: those that the assignment will be able to read. */
import { compileCondition } from '@rampart/assignment';
import { DomainError } from '../errors.js';

/** What is nested deeper is no condition that a person wrote. */
const DEEPEST = 20;

/** @param field  of the definition that holds it. @throws DomainError `<field>-too-deep`, `<field>-unreadable` */
export const requireSoundCondition = (field: 'targeting' | 'condition', condition: Readonly<Record<string, unknown>>): void => {
  const path = `/${field}`;
  const depth = depthOf(condition);
  if (depth > DEEPEST)
    throw new DomainError(`${field}-too-deep`, `${field} is nested ${depth} levels deep, ${DEEPEST} are allowed: flatten it`, {
      path,
      depth,
    });
  try {
    compileCondition(condition);
  } catch (error) {
    const message = `${field} is no condition that the assignment understands: ${error instanceof Error ? error.message : String(error)}`;
    throw new DomainError(`${field}-unreadable`, message, { path });
  }
};

const depthOf = (value: unknown): number => {
  let level: readonly unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= DEEPEST * 2) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
    depth += 1;
  }
  return depth - 1;
};
