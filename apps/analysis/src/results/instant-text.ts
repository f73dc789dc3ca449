/** An instant in a query string. */
import { parseInstant } from '@rampart/contracts';
import { z } from 'zod';

export const instantText = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, 'must be an RFC 3339 instant with a zone, such as 2026-01-31T12:00:00Z');
