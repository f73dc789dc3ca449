import { describe, expect, it } from '@jest/globals';
import type { Interaction } from '@rampart/contracts';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const metrics = [
  { input: { key: 'bought', type: 'proportion' as const } },
  { input: { key: 'spend', type: 'mean' as const, numerator: { event: 'bought' } }, use: { role: 'secondary' as const } },
];
const button = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, metrics);
const banner = exampleDefinition({ key: 'banner', variants: [{ key: 'on' }, { key: 'off' }], control: 'off' }, metrics.slice(0, 1));

class TwoDefinitions extends OneDefinition {
  constructor(
    own: DefinitionInForce,
    private readonly other: DefinitionInForce,
  ) {
    super(own);
  }
  override inForce(...[project, environment, experiment, atUs]: Parameters<OneDefinition['inForce']>): DefinitionInForce {
    return experiment === 'banner' ? this.other : super.inForce(project, environment, experiment, atUs);
  }
}

type Rates = Readonly<Record<'A' | 'B', number>>;

/** @param rates  of each ten of a variant so many buy */
const units = (count: number, rates: Rates, inBanner?: string): readonly ExampleUnit[] =>
  Array.from({ length: count }, (_, index) => {
    const variant = index % 2 === 0 ? 'A' : 'B';
    const buys = Math.floor(index / 2) % 10 < rates[variant];
    return { variant, ...(buys ? { events: { bought: [1 + (index % 3)] } } : {}), ...(inBanner === undefined ? {} : { inBanner }) };
  });

const ask = (all: readonly ExampleUnit[], { own = button, other = banner, interaction = 'banner' } = {}) =>
  new ResultsService(new TwoDefinitions(own, other), new CountedEvidence(all, { completedAtUs: 50_000_000 })).results({
    project: 'shop',
    environment: 'past',
    experiment: 'button',
    asOfUs: null,
    nowUs: 100_000_000,
    interaction,
  });

const found = async (...asked: Parameters<typeof ask>): Promise<Interaction> => {
  const { interaction } = await ask(...asked);
  if (interaction === undefined) throw new Error('no interaction');
  return interaction;
};

describe('an interaction with another experiment', () => {
  // The button helps by 3 in 10 without the banner, and harms by 2 in 10 with it.
  const crossed = [...units(1000, { A: 2, B: 5 }, 'off'), ...units(800, { A: 4, B: 2 }, 'on'), ...units(400, { A: 3, B: 3 })];

  it('shows effects by the arm that units have there, and how much they differ', async () => {
    const { arms, interactions, tests, independence, notes } = await found(crossed);
    expect(arms.map(({ value, units: counted }) => [value, counted])).toEqual([
      ['off', 1000],
      ['on', 800],
      [null, 400],
    ]);
    expect(independence).toMatchObject({ chi2: 0, df: 1, p: 1, failed: false });
    expect(interactions).toHaveLength(2);
    expect(tests).toBe(2);
    const [bought] = interactions;
    expect(bought).toMatchObject({
      metric: 'bought',
      treatment: 'B',
      control: 'A',
      otherTreatment: 'on',
      otherControl: 'off',
      anytime: null,
    });
    // √ of four variances of a rate, each p(1−p)/n.
    const se = Math.sqrt((0.2 * 0.8) / 500 + (0.5 * 0.5) / 500 + (0.4 * 0.6) / 400 + (0.2 * 0.8) / 400);
    expect(bought?.absolute).toMatchObject({ estimate: expect.closeTo(-0.5, 12), se: expect.closeTo(se, 12), df: null });
    expect(bought?.adjustedP).toBeLessThan(1e-9);
    expect(notes).toEqual([
      expect.stringContaining('bought: the effect of B over A is 0.50 lower among units in on of banner than among those in its off'),
      expect.stringContaining('spend: the effect'),
    ]);
  });

  it('is none where the effects are the same, and changes no verdict', async () => {
    const alike = [...units(1000, { A: 2, B: 5 }, 'off'), ...units(800, { A: 3, B: 6 }, 'on')];
    const { interactions, notes } = await found(alike);
    expect(interactions[0]?.absolute).toMatchObject({ estimate: expect.closeTo(0, 12), p: expect.closeTo(1, 9) });
    expect(notes).toEqual([]);
    const { interaction: _, ...shown } = await ask(crossed);
    const plain = await new ResultsService(new OneDefinition(button), new CountedEvidence(crossed, { completedAtUs: 50_000_000 })).results({
      ...{ project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 },
    });
    expect(plain).toEqual(shown);
  });

  it('tells when an arm here decides who meets the other experiment', async () => {
    const led = units(2000, { A: 3, B: 3 }).map((unit, index): ExampleUnit => {
      const meets = unit.variant === 'A' ? index % 8 === 0 : index % 8 !== 1;
      return { ...unit, inBanner: meets ? 'on' : 'off' };
    });
    const { independence, notes } = await found(led);
    expect(independence).toMatchObject({ failed: true });
    expect(notes[0]).toContain('units are not spread over the arms of banner as chance would');
  });

  it('refuses where a group is too small to tell', async () => {
    const { interactions, independence } = await found([...units(1000, { A: 2, B: 5 }, 'off'), ...units(190, { A: 4, B: 2 }, 'on')]);
    expect(interactions[0]).toMatchObject({ absolute: { refused: 'NOT_ENOUGH_DATA', have: 95, needed: 100 }, adjustedP: null });
    expect(independence).toMatchObject({ failed: false });
    const nobody = await found(units(1000, { A: 2, B: 5 }));
    expect(nobody).toMatchObject({ interactions: [], independence: { refused: 'NO_UNITS' }, tests: 0 });
    const few = await found([...units(1000, { A: 2, B: 5 }, 'off'), ...units(4, { A: 4, B: 2 }, 'on')]);
    expect(few.independence).toEqual({ refused: 'TOO_FEW_UNITS' });
  });

  it('of a plan that is looked at continuously has evidence that holds at every look', async () => {
    const live = exampleDefinition(
      { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' },
      [{ input: { ...metrics[0]?.input, key: 'bought', type: 'proportion', windowUs: 1_000_000 } }],
      'live',
    );
    const own = { ...live, experiment: { ...live.experiment, plan: { ...live.experiment.plan, allowedLatenessUs: 1000 } } };
    const { interactions } = await found(crossed, { own });
    const [bought] = interactions;
    if (bought === undefined || 'refused' in bought.absolute || bought.anytime === null || 'refused' in bought.anytime)
      throw new Error('no effect');
    const { absolute, anytime, adjustedP } = bought;
    expect(adjustedP).toBe(anytime.p);
    expect(anytime.lower).toBeLessThan(absolute.ci.lower ?? 0);
    expect((anytime.lower + anytime.upper) / 2).toBeCloseTo(-0.5, 12);
    expect(anytime.p).toBeGreaterThan(absolute.p);
  });

  it('is refused with itself, and with one about other units', async () => {
    await expect(ask(crossed, { interaction: 'button' })).rejects.toMatchObject({ code: 'interaction-impossible' });
    const other = { ...banner, experiment: { ...banner.experiment, unitType: 'device' } };
    await expect(ask(crossed, { other })).rejects.toThrow('banner is about units of type device, button about user: no unit is in both');
    await expect(ask(crossed, { other: { ...banner, state: null } })).rejects.toMatchObject({ code: 'not-started' });
  });
});
