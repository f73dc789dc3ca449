/** The refusal of an append that was decided on an older state. */
import { DomainError } from '@rampart/domain/errors';

export const revisionMismatch = (stream: string, expected: number, revision: number): DomainError =>
  new DomainError('revision-mismatch', `revision ${expected} was expected, the resource is at ${revision}: read it again and decide anew`, {
    stream,
    expected,
    revision,
  });
