import { describe, expect, it } from '@jest/globals';
import type { Freshness, Hop } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { Metrics } from '@rampart/service-kit';
import type { FreshnessService } from './freshness.service.js';
import { FreshnessGauges } from './freshness-gauges.js';

const hop = (name: Hop['hop'], ageMs: number | null): Hop => ({ hop: name, at: null, ageMs, trouble: null, isElsewhere: false });

describe('the ages that Prometheus reads', () => {
  it('do not vanish with the store that is asked for them', async () => {
    const answers: (() => Promise<Pick<Freshness, 'hops'>>)[] = [
      async () => ({ hops: [hop('store', 40_000), hop('record', null)] }),
      async () => Promise.reject(new Error('connect ECONNREFUSED')),
    ];
    const metrics = new Metrics('analysis');
    let elsewhere: readonly string[] = [];
    const service = { elsewhere: () => elsewhere, freshness: () => answers.shift()?.() ?? Promise.reject(new Error('asked too often')) };
    new FreshnessGauges(service as unknown as FreshnessService, new MemoryEventLog(), metrics);
    const ages = async () =>
      [...(await metrics.registry.metrics()).matchAll(/^rampart_freshness_age_seconds\{hop="(\w+)"[^}]*\} (\S+)$/gm)].map(
        ([, name, age]) => [name, Number(age) >= 40],
      );
    expect(await ages()).toEqual([['store', true]]);
    expect(await ages()).toEqual([['store', true]]);
    elsewhere = ['store'];
    expect(await ages()).toEqual([]);
  });
});
