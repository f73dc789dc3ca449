/** Documents of what is set apart before any experiment is asked. */
import { holdoutInput, layerInput, overrideInput, slug } from '@rampart/contracts';
import { z } from 'zod';
import { documented } from './answering.js';
import { revision } from './definition-answers.js';

const seed = z.string().describe('made once: it decides who falls where');

export const layer = documented(z.strictObject({ ...layerInput.shape, seed, revision }), {
  ...{ key: 'checkout', name: 'Checkout', unitType: 'user', seed: '0f6f2f0e-5f0b-4b0e-9d5b-0f5a3b1c7d11', revision: 1 },
});

export const holdout = documented(
  z.strictObject({ ...holdoutInput.shape, seed, isActive: z.boolean().describe('false once it was ended'), revision }),
  {
    ...{ key: 'q1', name: 'First quarter', unitType: 'user', share: 0.05, features: ['colour'] },
    ...{ seed: '6d9a0c1e-2b7d-4c53-8a36-fd0b7a8e1c92', isActive: true, revision: 1 },
  },
);

export const override = documented(
  z.strictObject({ ...overrideInput.shape, environment: slug, isActive: z.boolean().describe('false once it was removed'), revision }),
  {
    ...{ key: 'testers', feature: 'colour', variant: 'green', unitType: 'user', units: ['u-1', 'u-2'] },
    ...{ environment: 'production', isActive: true, revision: 1 },
  },
);
