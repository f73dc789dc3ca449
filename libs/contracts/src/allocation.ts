/** Who is set apart before any experiment is asked: layers, holdouts, and overrides for testing. */
import { z } from 'zod';
import { slug } from './metrics.js';

const name = z.string().min(1).max(200);

/** Experiments of one layer share its units without overlap: each has ranges of its own. Project-wide. */
export const layerInput = z.strictObject({ key: slug, name, unitType: name.default('user') });
export type LayerInput = z.infer<typeof layerInput>;
export interface LayerDefinition extends LayerInput {
  /** Made once: with another one every unit would move. */
  readonly seed: string;
}

/** Units kept out of experiments: they get the default variant of every feature that the holdout covers. Project-wide. */
export const holdoutInput = z.strictObject({
  key: slug,
  name,
  unitType: name.default('user'),
  share: z.number().gt(0).lte(0.5).describe('of all units'),
  features: z.array(slug).min(1).max(500).optional().describe('default: every feature'),
});
export type HoldoutInput = z.infer<typeof holdoutInput>;
export interface HoldoutDefinition extends HoldoutInput {
  readonly seed: string;
  /** False once it was ended: nobody is held out any more. */
  readonly isActive: boolean;
}

/** Named units, or those that meet a condition, get a variant in one environment: they never enter a comparison. */
export const overrideInput = z.strictObject({
  key: slug,
  feature: slug,
  variant: name,
  unitType: name.default('user'),
  units: z.array(z.string().min(1).max(500)).min(1).max(1_000).optional().describe('ids'),
  condition: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('in the condition language of the assignment; with units, both must hold'),
});
export type OverrideInput = z.infer<typeof overrideInput>;
export interface OverrideDefinition extends OverrideInput {
  /** False once it was removed. */
  readonly isActive: boolean;
}
