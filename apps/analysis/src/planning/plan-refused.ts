/** A question that no plan answers, said at the place in it: pure, so that a thread of its own can say it without loading a service. */
import { DomainError } from '@rampart/domain/errors';

/** @param path  JSON pointer into the question */
export const planRefused = (path: string, message: string): DomainError =>
  new DomainError('invalid-request', `${path}: ${message}`, { errors: [{ code: 'invalid', path, message }] });
