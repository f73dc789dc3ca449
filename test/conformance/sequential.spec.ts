import { describe, expect, it } from '@jest/globals';
import { parseTotals, streamAnswer } from './running-totals.js';
import { differences, type StreamReference } from './stream-reference.js';

const HEADER = 'experiment_id,variant_id,metric_id,time_since_start,count_c,count_t,mean_c,mean_t,variance_c,variance_t';
/** Too early, no variance yet; then a difference of 3 standard errors that fades, as peeking finds them. */
const LOOKS = ['e,1,2,0.5,1,1,0,0,,', 'e,1,2,1,100,100,10,10.6,2,2', 'e,1,2,2,400,400,10,10.1,2,2', 'e,1,2,3,900,900,10,10.05,2,2'];
const answer = () => streamAnswer(parseTotals([HEADER, ...LOOKS].join('\n')).get('e/1/2') ?? []);

/** By hand: se = √(2·2/n) = 0.2, 0.1, 0.0667; z = 3, 1, 0.75; τ = 0.01·√2, Λ = √(V/(V + τ²))·exp(d²τ²/(2V(V + τ²))). */
const REFERENCE: StreamReference = {
  ...{ experiment_id: 'e', variant_id: 1, metric_id: 2, snapshots: 4, usable_looks: 3, tau: 0.01 * Math.SQRT2 },
  final: { diff: 0.05000000000000071, se: 0.06666666666666667, z: 0.7500000000000107, p_welch_z: 0.4532547047533 },
  ...{ final_srm_p_vs_equal: 1, min_p_over_looks: 0.002699796063260189, first_time_p_below_0_05: 1 },
  msprt_final_p: 1 / (Math.sqrt(0.04 / 0.0402) * Math.exp((0.36 * 0.0002) / (2 * 0.04 * 0.0402))),
};

describe('looks at running totals', () => {
  it('are those of the reference', () => {
    expect(differences('e/1/2', answer(), REFERENCE)).toEqual([]);
  });

  it('are seen to differ by one part in 1e8', () => {
    const nudged = {
      ...REFERENCE,
      tau: (REFERENCE.tau ?? 0) * (1 + 1e-8),
      msprt_final_p: REFERENCE.msprt_final_p * (1 - 1e-8),
      usable_looks: 4,
    };
    const named = differences('e/1/2', answer(), nudged).map((line) => line.split(':')[0]);
    expect(named).toEqual(['usable_looks', 'tau', 'msprt_final_p'].map((name) => `FAIL e/1/2 ${name}`));
  });

  it('compare an arm without spread, and nothing where neither has any', () => {
    const rows = [HEADER, 'e,1,2,1,100,100,0,0.1,0,0', 'e,1,2,2,200,200,0,0.1,0,0.09'];
    const { usable_looks, final } = streamAnswer(parseTotals(rows.join('\n')).get('e/1/2') ?? []);
    expect(usable_looks).toBe(1);
    expect(final?.se).toBeCloseTo(Math.sqrt(0.09 / 200), 12);
    expect(streamAnswer(parseTotals(rows.slice(0, 2).join('\n')).get('e/1/2') ?? [])).toMatchObject({
      usable_looks: 0,
      final: null,
      msprt_final_p: 1,
    });
  });

  it('refuse another table', () => {
    expect(() => parseTotals('a,b\n1,2')).toThrow('its columns are a,b');
    expect(() => parseTotals(`${HEADER}\n1,2,3`)).toThrow('line 2 has 3 cells');
  });
});
