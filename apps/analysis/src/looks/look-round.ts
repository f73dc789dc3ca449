/** One look at everything that is watched: sums up to the watermark, verdicts, what is published and what is recorded. */
import { Inject, Injectable } from '@nestjs/common';
import { comparisonKey, type DecisionRecord, type InstantUs, LOOKS, type LookMessage } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { type ComparisonQuery, type ComparisonSums, FeedbackStore, isDamage } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';
import { policyOf } from '../definitions/definition-in-force.js';
import { StoreMending } from '../feedback/store-mending.js';
import { type Conclusion, conclude } from '../figures/conclusion.js';
import { Evidence } from '../results/evidence.source.js';
import { knownNames } from '../results/known-names.js';
import { ComparisonTotals } from './comparison-totals.js';
import { DecisionLog } from './decision-log.js';
import { ENGINE } from './engine.js';
import { LookFigures } from './look-figures.js';
import { Proposals } from './proposals.js';
import { BACK_AND_FORTH_US, causeOf, recordOf, stepOf } from './records.js';
import { type WatchedComparison, WatchedComparisons } from './watched-comparisons.js';

export interface Round {
  readonly knownUntilUs: InstantUs;
  readonly comparisons: number;
}

interface Judged {
  readonly message: LookMessage;
  readonly record: DecisionRecord | undefined;
}

/** The same for every comparison of a round. */
interface SharedByRound {
  readonly nowUs: InstantUs;
  /** Aborts when somebody else is to take the looks. */
  readonly signal: AbortSignal;
  readonly seen: (query: ComparisonQuery) => Promise<ReadonlySet<string>>;
}

const never = new AbortController().signal;

/** Whoever waits for the first of many does not wait for the last. */
const TOLD_TOGETHER = 25;

/** How often kept totals are held against a count of all rows, one comparison at a time. */
const RECOUNT_EVERY_ROUNDS = 200;

@Injectable()
export class LookRound {
  private readonly totals: ComparisonTotals;
  private lastUs: InstantUs = 0;
  private rounds = 0;

  constructor(
    private readonly log: EventLog,
    store: FeedbackStore,
    private readonly evidence: Evidence,
    private readonly watched: WatchedComparisons,
    private readonly decisions: DecisionLog,
    private readonly proposals: Proposals,
    private readonly mending: StoreMending,
    private readonly figures: LookFigures,
    @Inject(LOG) private readonly lines: Log,
  ) {
    this.totals = new ComparisonTotals(store);
  }

  /**
   * @param signal  the look goes no further when it aborts: a log that comes back shares the looks anew, and waits for the one that is being taken
   * @returns undefined when nothing new is known since the last look
   */
  async look(nowUs: InstantUs, signal: AbortSignal = never): Promise<Round | undefined> {
    try {
      return await this.taken(nowUs, signal);
    } catch (error) {
      // At once, for the look that is taken again.
      if (isDamage(error)) await unlessAborted(this.mending.mend(), signal);
      throw error;
    }
  }

  private async taken(nowUs: InstantUs, signal: AbortSignal): Promise<Round | undefined> {
    await unlessAborted(this.proposals.settle(), signal);
    // Before the rows are counted: what is known up to here is all stored.
    const watermarkUs = await this.evidence.watermark();
    if (watermarkUs === null || watermarkUs === this.lastUs) return undefined;
    const comparisons = await unlessAborted(this.watched.at(watermarkUs, signal), signal);
    this.totals.keep(new Set(comparisons.map(({ key }) => key)));
    const shared = { nowUs, signal, seen: this.namesOfRound() };
    // Whatever fails from here on: each kept total is right as of its own moment, and the next look goes on from there.
    for (const isFirst of [true, false]) {
      const part = comparisons.filter(({ isRamping }) => isRamping === isFirst);
      signal.throwIfAborted();
      const sums = await this.sumsOf(part, watermarkUs, signal);
      for (let at = 0; at < part.length; at += TOLD_TOGETHER) await this.tell(part.slice(at, at + TOLD_TOGETHER), sums, shared);
    }
    await this.recountOne(comparisons);
    this.lastUs = watermarkUs;
    return { knownUntilUs: watermarkUs, comparisons: comparisons.length };
  }

  /** Judges a few, publishes their looks and proposes their records before the next few are judged. */
  private async tell(
    comparisons: readonly WatchedComparison[],
    sums: ReadonlyMap<string, ComparisonSums>,
    shared: SharedByRound,
  ): Promise<void> {
    shared.signal.throwIfAborted();
    // All environments at once; whoever needs the answer hears what became of it.
    for (const { key, query } of comparisons) if (sums.has(key)) shared.seen(query).catch(() => undefined);
    const looks: LookMessage[] = [];
    const records: DecisionRecord[] = [];
    for (const comparison of comparisons) {
      const counted = sums.get(comparison.key);
      if (counted === undefined) continue;
      const judged = await this.judgedOrNot(comparison, counted, shared);
      if (judged === undefined) continue;
      looks.push(judged.message);
      if (judged.record !== undefined) records.push(judged.record);
    }
    shared.signal.throwIfAborted();
    // Together: whoever is told of a look soon finds its record. A log that is away keeps nobody from his place in the group that shares the looks anew.
    await unlessAborted(Promise.all([this.publish(looks), this.proposals.propose(records)]), shared.signal);
  }

  /** Those that end with the watermark by what changed; a planned or closing look, as of its own moment, from all rows. */
  private async sumsOf(
    comparisons: readonly WatchedComparison[],
    watermarkUs: InstantUs,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ComparisonSums>> {
    const isMoving = ({ query, target }: WatchedComparison) => !query.historical && target.knownUntilUs === watermarkUs;
    const moving = comparisons.filter(isMoving).map(({ key, query }) => [key, query] as const);
    const sums = new Map(await this.totals.at(new Map(moving)));
    for (const comparison of comparisons) {
      if (isMoving(comparison)) continue;
      signal.throwIfAborted();
      sums.set(comparison.key, await this.evidence.sums(comparison.query));
    }
    return sums;
  }

  /** Whoever defines what can't be judged stops the looks at his experiment, not those of everybody. */
  private async judgedOrNot(comparison: WatchedComparison, sums: ComparisonSums, shared: SharedByRound): Promise<Judged | undefined> {
    try {
      return await this.judged(comparison, sums, shared);
    } catch (error) {
      // A store or log that is away is away for all.
      if ((error as { retriable?: unknown }).retriable !== undefined) throw error;
      this.figures.failed();
      this.lines.error({ err: error, comparison: comparison.key }, 'a comparison can not be judged: the others are');
      return undefined;
    }
  }

  /** Asked once for each environment, however many comparisons it has. */
  private namesOfRound(): SharedByRound['seen'] {
    const asked = new Map<string, Promise<ReadonlySet<string>>>();
    return (query) => {
      const key = `${query.project}/${query.environment}/${query.knownUntilUs}`;
      const names = asked.get(key) ?? knownNames(this.evidence, query, query.knownUntilUs);
      asked.set(key, names);
      return names;
    };
  }

  private async judged(
    { place, definition, definitionHash, target, query }: WatchedComparison,
    sums: ComparisonSums,
    { nowUs, seen }: SharedByRound,
  ): Promise<Judged> {
    const { knownUntilUs, plan, isLast } = target;
    const policy = policyOf(definition);
    const seenEvents = await seen(query);
    const { head, isPending, latched } = this.proposals.newest(place, knownUntilUs);
    const looksBefore = head?.looks ?? [];
    const conclusion = conclude({ definition, query, sums, plan, seenEvents, latchedBefore: latched, looksBefore, knownUntilUs });
    this.proposals.saw(place, conclusion.latched);
    const { verdict, latched: crossed, looks } = conclusion;
    const taken = looks === null ? {} : { looks };
    const said = { knownUntilUs, verdict, latched: crossed, ...taken, definitionHash, step: stepOf(definition.state) };
    const recent = this.decisions.recent(place, knownUntilUs - BACK_AND_FORTH_US);
    const cause = isPending ? undefined : causeOf(head, { ...said, isLast }, recent);
    const message = lookOf(place, definition.version, { policy, knownUntilUs, conclusion, record: head?.id ?? null, nowUs });
    if (cause === undefined) return { message, record: undefined };
    const recorded = { environment: definition.environment, experiment: definition.experiment, version: definition.version };
    const record = recordOf({
      place,
      policy,
      cause,
      previous: head?.id ?? null,
      knownUntilUs,
      ...(query.loggedUntilUs === undefined ? {} : { completedAtUs: query.loggedUntilUs }),
      definition: { ...recorded, state: definition.state, metrics: definition.metrics },
      seenEvents,
      conclusion,
      engine: ENGINE,
    });
    return { message, record };
  }

  private async publish(looks: readonly LookMessage[]): Promise<void> {
    if (looks.length === 0) return;
    await this.log.append(
      LOOKS,
      looks.map((look) => ({ partition: 0, key: comparisonKey(look), value: JSON.stringify(look) })),
    );
  }

  /** Trust, and verify: in turn, so that a look never waits long. */
  private async recountOne(comparisons: readonly WatchedComparison[]): Promise<void> {
    this.rounds += 1;
    if (this.rounds % RECOUNT_EVERY_ROUNDS !== 0 || comparisons.length === 0) return;
    const chosen = comparisons[(this.rounds / RECOUNT_EVERY_ROUNDS) % comparisons.length];
    if (chosen === undefined) return;
    const isSame = await this.totals.recount(chosen.key, chosen.query);
    this.figures.recounted(isSame);
    if (!isSame) this.lines.error({ comparison: chosen.key }, 'kept sums differ from the count of all rows: replaced by the count');
  }
}

/** @throws the reason of the abort, as soon as it comes; the work goes on unwatched */
const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  let giveUp: () => void = () => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason);
  });
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  return Promise.race([work, givenUp]).finally(() => signal.removeEventListener('abort', giveUp));
};

interface Looked {
  readonly policy: LookMessage['policy'];
  readonly knownUntilUs: InstantUs;
  readonly conclusion: Conclusion;
  readonly record: string | null;
  readonly nowUs: InstantUs;
}

const lookOf = (
  place: WatchedComparison['place'],
  definitionVersion: number,
  { policy, knownUntilUs, conclusion, record, nowUs }: Looked,
): LookMessage => ({
  ...place,
  policy,
  definitionVersion,
  knownUntilUs,
  verdict: conclusion.verdict.verdict,
  sentence: conclusion.verdict.sentence,
  actions: conclusion.actions,
  units: conclusion.figures.population.counted,
  record,
  lookedAtUs: nowUs,
});
