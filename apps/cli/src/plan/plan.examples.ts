/** A small plan for specs, with what the spec is about in place of its parts. */
import { type ImportPlan, importPlan } from './plan.js';

export const examplePlan = (parts: object = {}): ImportPlan =>
  importPlan.parse({
    key: 'button',
    unit: { column: 'user' },
    time: { column: 'at', zone: 'UTC' },
    arms: { column: 'arm', cells: [{ variant: 'old' }, { variant: 'new' }] },
    control: 'old',
    values: ['bought'],
    ...parts,
  });
