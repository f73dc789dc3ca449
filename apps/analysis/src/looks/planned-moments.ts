/** At which moment a plan of several looks is looked at next: a look that is due is taken as of its planned moment before anything later is. */
import { type ComparisonPlace, comparisonKey, type InstantUs } from '@rampart/contracts';
import { HOUR_US, nextMoment, nextUnits, type TakenLook } from '@rampart/domain';
import { comparisonQuery, type DefinitionInForce, scheduleOf } from '../definitions/definition-in-force.js';
import { countedUnits } from '../figures/conclusion.js';
import type { Evidence } from '../results/evidence.source.js';

/** What the newest record of the comparison holds; nothing before the first. */
export interface Chain {
  readonly knownUntilUs: InstantUs;
  readonly looks: readonly TakenLook[];
}

export class PlannedMoments {
  /** By comparison: the newest hour at which too few units were in. */
  private readonly tooFew = new Map<string, InstantUs>();
  /** By comparison: the hour of the look that comes after so many. */
  private readonly found = new Map<string, { readonly after: number; readonly atUs: InstantUs }>();

  constructor(private readonly evidence: Pick<Evidence, 'sums'>) {}

  /** @returns undefined where no look is due up to `untilUs`: then it is looked at as of that */
  async before(untilUs: InstantUs, definition: DefinitionInForce, place: ComparisonPlace, chain: Chain): Promise<InstantUs | undefined> {
    if (definition.experiment.plan.method !== 'group-sequential' || definition.environment.kind === 'historical') return undefined;
    const schedule = scheduleOf(definition);
    const endUs = Math.min(untilUs, definition.state?.closedAtUs ?? untilUs);
    const moment = nextMoment(schedule, chain.looks, chain.knownUntilUs);
    if (moment !== undefined) return moment <= endUs ? moment : undefined;
    const needed = nextUnits(schedule, chain.looks);
    if (needed === undefined) return undefined;
    try {
      return await this.hourOf(needed, endUs, { definition, key: comparisonKey(place), chain });
    } catch (error) {
      // A store that is away is away for all; what can't be counted is told where it is judged.
      if ((error as { retriable?: unknown }).retriable !== undefined) throw error;
      return undefined;
    }
  }

  /** The first whole hour at which so many are in: units are closed for good, so that halving finds it, whenever it is asked for. */
  private async hourOf(needed: number, endUs: InstantUs, { definition, key, chain }: Asked): Promise<InstantUs | undefined> {
    const known = this.found.get(key);
    if (known !== undefined && known.after === chain.looks.length && known.atUs > chain.knownUntilUs) return known.atUs;
    // Whoever recorded something later had looked at the hours before it.
    let low = Math.floor(Math.max(chain.knownUntilUs, this.tooFew.get(key) ?? 0, definition.state?.startedAtUs ?? 0) / HOUR_US);
    let high = Math.floor(endUs / HOUR_US);
    if (high <= low) return undefined;
    if (!(await this.isIn(needed, high, definition))) {
      this.tooFew.set(key, high * HOUR_US);
      return undefined;
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (await this.isIn(needed, middle, definition)) high = middle;
      else low = middle;
    }
    this.found.set(key, { after: chain.looks.length, atUs: high * HOUR_US });
    return high * HOUR_US;
  }

  private async isIn(needed: number, hour: number, definition: DefinitionInForce): Promise<boolean> {
    const query = comparisonQuery(definition, hour * HOUR_US);
    return countedUnits({ definition, query, sums: await this.evidence.sums(query) }) >= needed;
  }
}

interface Asked {
  readonly definition: DefinitionInForce;
  readonly key: string;
  readonly chain: Chain;
}
