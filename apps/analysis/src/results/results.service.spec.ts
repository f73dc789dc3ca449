import { describe, expect, it } from '@jest/globals';
import type { ExperimentInput } from '@rampart/contracts';
import { exampleComparison, exampleDefinition, wholeSums } from '../figures/figures.examples.js';
import { Crossings } from './crossings.source.js';
import { EvidenceOf, OneDefinition, type StoredEvidence } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const DAY = 86_400_000_000;
const started = 1_000_000;
const day = (days: number) => started + days * DAY;
const iso = (atUs: number) => new Date(atUs / 1000).toISOString();

const twoArms = { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' } as const;
const converted = { input: { key: 'converted', type: 'proportion', windowUs: 3_600_000_000 } } as const;

const define = (kind: 'live' | 'historical', plan: ExperimentInput['plan'] = {}) =>
  exampleDefinition({ ...twoArms, variants: [...twoArms.variants], plan: { method: 'fixed-horizon', ...plan } }, [converted], kind);

/** 1,000 units an arm: B converts 150 (or as told) against 100. */
const conversions = (ofB: number) => exampleComparison([[wholeSums(1000, 100, 100)], [wholeSums(1000, ofB, ofB)]]);
const seen = [{ name: 'converted', lastAtUs: day(100) }];

const ask = (definition: ReturnType<typeof define>, stored: Partial<StoredEvidence>, asOfUs: number | null = null) =>
  new ResultsService(
    new OneDefinition(definition),
    new EvidenceOf({ watermarkUs: day(3), sumsAt: () => conversions(150), seen, ...stored }),
  ).results({ project: 'shop', environment: 'past', experiment: 'button', asOfUs, nowUs: day(3) + 2_000_000 });

describe('a history', () => {
  it('is importing until its completion lies below the watermark, and waits', async () => {
    expect(await ask(define('historical'), {})).toMatchObject({ status: 'importing', verdict: { verdict: 'continue' } });
    const answer = await ask(define('historical'), { completedAtUs: day(3) + 1 });
    expect(answer).toMatchObject({ status: 'importing', verdict: { rule: 'not-yet' } });
    expect(answer.verdict.sentence).toContain('waits for the import to be completed');
  });

  it('refuses asOf while importing', async () => {
    await expect(ask(define('historical'), {}, day(1))).rejects.toMatchObject({ code: 'importing' });
  });

  it('has its one look when complete: B is better, with both numbers', async () => {
    const answer = await ask(define('historical'), { completedAtUs: day(2) });
    expect(answer).toMatchObject({ status: 'complete', asOf: null, watermark: iso(day(3)), watermarkAgeMs: 2000, definitionVersion: 1 });
    expect(answer.verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    expect(answer.verdict.sentence).toMatch(/converted is 50 % better \(one-sided p 0\.0004 < 0\.0500\)/);
    expect(answer.warnings).toEqual([]);
  });

  it('counts what came by its completion, and says how many rows came later', async () => {
    const evidence = { completedAtUs: day(2), laterRows: 3 };
    expect((await ask(define('historical'), evidence)).warnings).toEqual([
      `3 rows came after the history was completed at ${iso(day(2))}: they don't count until another import.completed.v1 comes`,
    ]);
    const asked: (number | undefined)[] = [];
    const sumsAt = (_knownUntilUs: number, loggedUntilUs?: number) => {
      asked.push(loggedUntilUs);
      return conversions(150);
    };
    await ask(define('historical'), { ...evidence, sumsAt });
    await ask(define('historical'), { sumsAt });
    expect(asked).toEqual([day(2), undefined]);
  });

  it('counts as of an earlier moment once complete', async () => {
    const sumsAt = (knownUntilUs: number) => conversions(knownUntilUs === day(1) ? 99 : 150);
    const answer = await ask(define('historical'), { completedAtUs: day(2), sumsAt }, day(1));
    expect(answer).toMatchObject({ asOf: iso(day(1)), verdict: { verdict: 'inconclusive' } });
  });
});

describe('a live environment', () => {
  it('continues before the planned end, however small p is, and says that intervals are not valid yet', async () => {
    const answer = await ask(define('live', { plannedEndUs: day(14) }), {});
    expect(answer).toMatchObject({ status: 'running', verdict: { verdict: 'continue' } });
    expect(answer.verdict.sentence).toContain(`until ${iso(day(14))}`);
    expect(answer.warnings.join()).toContain('not valid under continuous looking');
  });

  it('judges the sample ratio by a test that may be looked at often, until the look', async () => {
    // 1,000 against 850: χ² says p 0.0005, at any look it is p 0.03.
    const sumsAt = () => exampleComparison([[wholeSums(1000, 100, 100)], [wholeSums(850, 100, 100)]]);
    const definition = define('live', { plannedEndUs: day(14) });
    const before = await ask(definition, { sumsAt });
    expect(before).toMatchObject({ srm: { test: { failed: true } }, verdict: { verdict: 'continue' } });
    expect(before.verdict.findings.find((finding) => finding.kind === 'quality')?.sentence).toContain('at any look E');
    expect((await ask(definition, { sumsAt, watermarkUs: day(14) })).verdict.verdict).toBe('invalid');
    const broken = () => exampleComparison([[wholeSums(1000, 100, 100)], [wholeSums(500, 100, 100)]]);
    expect((await ask(definition, { sumsAt: broken })).verdict.verdict).toBe('invalid');
  });

  it('shows its one look once that is over, and keeps the verdict when asked for later figures', async () => {
    const definition = define('live', { plannedEndUs: day(14) });
    const stored = { watermarkUs: day(30), sumsAt: (until: number) => conversions(until <= day(14) ? 150 : 101) };
    const look = await ask(definition, stored);
    expect(look).toMatchObject({ status: 'complete', asOf: iso(day(14)), verdict: { verdict: 'go' } });
    const later = await ask(definition, stored, day(20));
    expect(later.metrics[0]?.arms[1]?.sum).toBe('101');
    expect(later.verdict.verdict).toBe('go');
    expect(later.warnings.join()).toContain(`the verdict stays that of ${iso(day(14))}`);
  });

  it('refuses asOf beyond the watermark, naming both', async () => {
    await expect(ask(define('live'), {}, day(4))).rejects.toMatchObject({ code: 'watermark-behind', details: { watermark: iso(day(3)) } });
    await expect(ask(define('live'), { watermarkUs: null })).rejects.toMatchObject({ code: 'watermark-undefined' });
  });

  it('goes by every definition that was known at its watermark', async () => {
    let isNewKnown = false;
    class Redefined extends OneDefinition {
      override inForce() {
        return { ...super.inForce(), version: isNewKnown ? 2 : 1 };
      }
    }
    class Moving extends EvidenceOf {
      override watermark() {
        isNewKnown = true;
        return super.watermark();
      }
    }
    const evidence = new Moving({ watermarkUs: day(3), sumsAt: () => conversions(150), seen });
    const request = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: day(3), nowUs: day(3) };
    const answer = await new ResultsService(new Redefined(define('live')), evidence).results(request);
    expect(answer.definitionVersion).toBe(2);
  });

  it('goes by what was in force at its watermark, not by what came after', async () => {
    class Changing extends OneDefinition {
      override inForce(_project = '', _environment = '', _experiment = '', atUs: number | null = null) {
        return { ...super.inForce(), version: atUs === null || atUs > day(3) ? 2 : 1 };
      }
    }
    const evidence = new EvidenceOf({ watermarkUs: day(3), sumsAt: () => conversions(150), seen });
    const request = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: day(3) };
    expect((await new ResultsService(new Changing(define('live')), evidence).results(request)).definitionVersion).toBe(1);
  });

  it('refuses what never started', async () => {
    const definition = { ...define('live'), state: null };
    await expect(ask(definition, {})).rejects.toMatchObject({ code: 'not-started' });
  });

  it('counts only what was known when it was closed', async () => {
    const definition = define('live', { plannedEndUs: day(14) });
    if (definition.state === null) throw new Error('no state');
    const closed = { ...definition, state: { ...definition.state, closedAtUs: day(10) } };
    const untils: number[] = [];
    const sumsAt = (until: number) => {
      untils.push(until);
      return conversions(150);
    };
    const answer = await ask(closed, { watermarkUs: day(30), sumsAt }, day(20));
    expect(untils).toEqual([day(10)]);
    expect(answer).toMatchObject({ status: 'complete', verdict: { verdict: 'go' } });
  });
});

describe('a sequential plan in a live environment', () => {
  const sequential = (plan: ExperimentInput['plan'] = {}) => define('live', { method: 'sequential', ...plan });
  const worse = { sumsAt: () => conversions(40) };

  it('judges from the first look on: harm at once, a go after the minimum run', async () => {
    expect(await ask(sequential(), worse)).toMatchObject({
      status: 'running',
      verdict: { verdict: 'no-go', rule: 'deteriorated' },
      actions: { ramp: 'roll-back' },
      latched: [{ test: 'harm', metric: 'converted', arm: 'B', knownUntilUs: day(3) }],
    });
    const better = { sumsAt: () => conversions(180) };
    expect((await ask(sequential(), better)).verdict.sentence).toBe(`continue – waits for the minimum run until ${iso(day(7))}`);
    expect(await ask(sequential(), { ...better, watermarkUs: day(7) })).toMatchObject({
      verdict: { verdict: 'go' },
      actions: { gate: 'go' },
    });
  });

  it('shows both: figures of one look, and figures that hold at every look, which it points at', async () => {
    const answer = await ask(sequential(), {});
    expect(answer.metrics[0]?.comparisons[0]).toMatchObject({ absolute: { p: expect.any(Number) }, anytime: { level: 0.95 } });
    expect(answer.warnings).toEqual(['p, ci and normal are of one look: while looking, go by anytime, which holds at every look']);
  });

  it('is as of the moment that is asked for, also after its planned end', async () => {
    const definition = sequential({ plannedEndUs: day(10) });
    const untils: number[] = [];
    const sumsAt = (until: number) => {
      untils.push(until);
      return conversions(110);
    };
    const after = await ask(definition, { watermarkUs: day(20), sumsAt });
    expect(after).toMatchObject({ status: 'complete', asOf: null, verdict: { verdict: 'inconclusive' } });
    expect(await ask(definition, { watermarkUs: day(20), sumsAt }, day(8))).toMatchObject({ verdict: { verdict: 'continue' } });
    expect(untils).toEqual([day(20), day(8)]);
  });

  it('is complete with its planned units', async () => {
    expect(await ask(sequential({ plannedUnits: 2000 }), { watermarkUs: day(8), sumsAt: () => conversions(101) })).toMatchObject({
      status: 'complete',
      verdict: { verdict: 'inconclusive' },
    });
  });

  it('keeps what was crossed at earlier looks', async () => {
    const crossed = { test: 'harm', metric: 'converted', arm: 'B', knownUntilUs: day(1), value: 6 } as const;
    class Recorded extends Crossings {
      looksBefore() {
        return [];
      }
      countedBefore() {
        return {};
      }
      before(_: unknown, knownUntilUs: number) {
        return knownUntilUs >= day(1) ? [crossed] : [];
      }
    }
    const evidence = new EvidenceOf({ watermarkUs: day(8), sumsAt: () => conversions(150), seen });
    const service = new ResultsService(new OneDefinition(sequential()), evidence, new Recorded());
    const at = (asOfUs: number | null) =>
      service.results({ project: 'shop', environment: 'past', experiment: 'button', asOfUs, nowUs: day(8) });
    expect(await at(null)).toMatchObject({ verdict: { verdict: 'no-go' }, latched: [crossed] });
    expect((await at(day(1) - 1)).latched).toEqual([]);
  });
});

describe('the evidence digest', () => {
  const digestOf = async (stored: Partial<StoredEvidence>, definition = define('historical')) =>
    (await ask(definition, { completedAtUs: day(2), ...stored })).evidenceDigest;

  it('does not depend on the order of the sums, nor on watermark, key or name', async () => {
    const shuffled = () => ({ ...conversions(150), cells: [...conversions(150).cells].reverse() });
    const digest = await digestOf({});
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestOf({ sumsAt: shuffled, watermarkUs: day(9) })).toBe(digest);
    const renamed = define('historical');
    expect(await digestOf({}, { ...renamed, experiment: { ...renamed.experiment, key: 'other', name: 'Other' } })).toBe(digest);
  });

  it('changes with one more conversion, and with the plan', async () => {
    const digest = await digestOf({});
    expect(await digestOf({ sumsAt: () => conversions(151) })).not.toBe(digest);
    expect(await digestOf({}, define('historical', { alpha: 0.01 }))).not.toBe(digest);
  });
});

describe('results as of before an erasure', () => {
  it('say how many of the units are no more', async () => {
    const { warnings } = await ask(define('live'), { erasedUnits: 2 }, day(2));
    expect(warnings).toContain(`2 units were erased since ${iso(day(2))}: what is counted as of then is no longer what it was`);
    expect((await ask(define('live'), {}, day(2))).warnings.join()).not.toContain('erased');
  });
});

describe('results of a comparison whose rows were removed by configuration', () => {
  it('say so where the comparison reads from before', async () => {
    const { warnings } = await ask(define('live'), { expiredUntilUs: day(1) });
    expect(warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(`^rows known before ${iso(day(1))} were removed .RAMPART_KEEP_ROWS_DAYS.`)]),
    );
    const before = started - DAY;
    expect((await ask(define('live'), { expiredUntilUs: before })).warnings.join()).not.toContain('RAMPART_KEEP_ROWS_DAYS');
  });
});

describe('warnings', () => {
  it('name an event that never came and the nearest that did', async () => {
    const answer = await ask(define('historical'), { completedAtUs: day(2), seen: [{ name: 'convertd', lastAtUs: 0 }] });
    expect(answer.warnings).toEqual([
      'metric converted counts the event converted, which this environment has never had: did you mean convertd?',
    ]);
  });

  it('a guardrail that is constant in both arms holds only when its event is not known to arrive', async () => {
    const errors = { input: { key: 'failed', type: 'first-error' }, use: { role: 'guardrail' } } as const;
    const definition = exampleDefinition({ ...twoArms, variants: [...twoArms.variants] }, [converted, errors]);
    const none = wholeSums(1000, 0, 0);
    const sumsAt = () =>
      exampleComparison([
        [wholeSums(1000, 100, 100), none],
        [wholeSums(1000, 150, 150), none],
      ]);
    const stored = { completedAtUs: day(2), sumsAt };
    expect((await ask(definition, stored)).verdict).toMatchObject({ verdict: 'inconclusive' });
    const arriving = { ...stored, seen: [...seen, { name: 'failed', lastAtUs: 0 }] };
    const answer = await ask(definition, arriving);
    expect(answer.verdict).toMatchObject({ verdict: 'go' });
    expect(answer.warnings.join()).toContain('metric failed counts nothing for any unit, though the event failed arrives');
  });
});
