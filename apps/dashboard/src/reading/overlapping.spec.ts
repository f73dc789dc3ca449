import { describe, expect, it } from '@jest/globals';
import { overlapping } from './overlapping.js';

type Document = Parameters<typeof overlapping>[0][number];

const experiment = (key: string, unitType: string, statuses: Readonly<Record<string, string>>): Document =>
  ({
    ...{ key, definition: { unitType } },
    environments: Object.fromEntries(Object.entries(statuses).map(([environment, status]) => [environment, { status }])),
  }) as unknown as Document;

describe('experiments that may have the same units', () => {
  const own = experiment('own', 'user', { production: 'running' });

  it('were begun in the same environment, about the same type of unit', () => {
    const all = [
      own,
      experiment('beside', 'user', { production: 'running' }),
      experiment('over', 'user', { production: 'concluded', staging: 'draft' }),
      experiment('device', 'device', { production: 'running' }),
      experiment('planned', 'user', { production: 'draft' }),
      experiment('elsewhere', 'user', { staging: 'running' }),
    ];
    expect(overlapping(all, own, 'production').map(({ key }) => key)).toEqual(['beside', 'over']);
  });
});
