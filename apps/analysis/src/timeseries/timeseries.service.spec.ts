import { describe, expect, it } from '@jest/globals';
import { DomainError } from '@rampart/domain';
import { MemoryEventLog } from '@rampart/event-log';
import { MemoryFeedbackStore } from '@rampart/feedback-store';
import type { DefinitionInForce, Definitions } from '../definitions/definition-in-force.js';
import { exampleComparison, exampleDefinition, wholeSums } from '../figures/figures.examples.js';
import { DecisionLog } from '../looks/decision-log.js';
import { EvidenceOf, OneDefinition } from '../results/evidence.examples.js';
import { TimeseriesService } from './timeseries.service.js';

const SECOND = 1_000_000;
const definition = exampleDefinition(
  { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' },
  [{ input: { key: 'converted', type: 'proportion', windowUs: SECOND } }],
  'live',
);
const startedAtUs = definition.state?.startedAtUs ?? Number.NaN;

/** Started by the control plane's clock; known to the log a while later. */
class KnownFrom extends OneDefinition {
  constructor(
    private readonly definedUs: number,
    private readonly startUs: number,
  ) {
    super(definition);
  }
  override inForce(...[, , , at]: Partial<Parameters<Definitions['inForce']>>): DefinitionInForce {
    const atUs = at ?? Number.POSITIVE_INFINITY;
    if (atUs < this.definedUs) throw new DomainError('experiment-not-yet-defined', 'not yet');
    return atUs < this.startUs ? { ...definition, state: null } : definition;
  }
}

const momentsOf = async (definitions: Definitions, watermarkUs: number): Promise<readonly string[]> => {
  const evidence = new EvidenceOf({ watermarkUs, sumsAt: () => exampleComparison([[wholeSums(0, 0, 0)], [wholeSums(0, 0, 0)]]) });
  const service = new TimeseriesService(definitions, evidence, new MemoryFeedbackStore(), new DecisionLog(new MemoryEventLog()));
  const request = { project: definition.project, environment: definition.environment.key, experiment: definition.experiment.key };
  const { points } = await service.timeseries({ ...request, fromUs: null, untilUs: null, points: 10 });
  return points.map(({ asOf }) => asOf);
};
const iso = (atUs: number) => new Date(atUs / 1000).toISOString();

describe('the points of a time series', () => {
  it('begin when the log knew the start: nobody could ask for results as of a moment before it', async () => {
    const whole = (seconds: number) => iso((Math.floor(startedAtUs / SECOND) + seconds) * SECOND);
    const at = (seconds: number) => startedAtUs + seconds * SECOND;
    const late = await momentsOf(new KnownFrom(at(1.5), at(2.5)), at(5.5));
    expect(late.slice(0, -1)).toEqual([3, 4, 5].map(whole));
    const atOnce = await momentsOf(new KnownFrom(startedAtUs, startedAtUs), at(5.5));
    expect(atOnce.slice(0, -1)).toEqual([1, 2, 3, 4, 5].map(whole));
  });
});
