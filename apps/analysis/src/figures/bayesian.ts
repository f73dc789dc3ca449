/** The same sums read with a prior: chance to win, expected loss and credible interval, in the direction of the metric. */
import {
  type AnalysisPlan,
  type BayesianComparison,
  type BayesianPlan,
  type Belief,
  bayesianPlan,
  type Effect,
  type MetricDefinition,
  type MetricUse,
  type Refusal,
} from '@rampart/contracts';
import {
  absolutePrior,
  type BetaParameters,
  betaPosterior,
  compareBetaPosteriors,
  logRateRatio,
  type NormalPosterior,
  type NormalPrior,
  normal,
  normalPosterior,
} from '@rampart/statistics';

interface Read {
  readonly metric: MetricDefinition;
  readonly plan: AnalysisPlan;
  /** Unadjusted: what a share is a share of. */
  readonly controlMean: number;
  /** With the outcomes that are 1; absent where a covariate adjusts them. */
  readonly control?: Counted;
  readonly treatment?: Counted;
}

interface Counted {
  readonly n: number;
  readonly successes?: number;
}

interface Effects {
  readonly absolute: Effect;
  readonly relative: Effect;
}

const FLAT = bayesianPlan.parse({});
export const bayesianOf = ({ bayesian }: Pick<AnalysisPlan, 'bayesian'>): BayesianPlan => bayesian ?? FLAT;

export const bayesianComparison = (effects: Effects, read: Read): BayesianComparison | Refusal => {
  const { control, treatment, plan } = read;
  if (bayesianOf(plan).model === 'beta-binomial' && control?.successes !== undefined && treatment?.successes !== undefined)
    return ofRates({ n: control.n, successes: control.successes }, { n: treatment.n, successes: treatment.successes }, read);
  return ofEffects(effects, read);
};

const ofEffects = ({ absolute, relative }: Effects, { metric, plan, controlMean }: Read): BayesianComparison | Refusal => {
  if ('refused' in absolute) return absolute;
  const { prior } = bayesianOf(plan);
  const level = plan.intervalLevel;
  const [ofRelative, isFlat] = [prior === 'flat' ? undefined : { mean: prior.mean, variance: prior.sd ** 2 }, prior === 'flat'];
  if (!isFlat && controlMean === 0) return { refused: 'ZERO_BASELINE' };
  const ofAbsolute = ofRelative === undefined ? undefined : absolutePrior(ofRelative, controlMean);
  const [inUnits, asShare] = [
    posterior(absolute, ofAbsolute, level),
    'refused' in relative ? relative : posterior(relative, ofRelative, level),
  ];
  // The prior is one of the relative effect: where there is none, of the difference.
  const deciding = 'refused' in asShare ? inUnits : asShare;
  return {
    model: 'normal',
    prior: prior === 'flat' ? null : prior,
    level,
    chanceToWin: metric.direction === 'increase' ? deciding.chanceToWin : normal.sf(deciding.mean / deciding.sd),
    absolute: beliefOf(inUnits, metric),
    relative: 'refused' in asShare ? asShare : beliefOf(asShare, metric),
    relativeRisk:
      'refused' in asShare || controlMean < 0
        ? null
        : { estimate: 1 + asShare.mean, lower: 1 + asShare.ciLower, upper: 1 + asShare.ciUpper },
  };
};

const posterior = ({ estimate, se }: { estimate: number; se: number }, prior: NormalPrior | undefined, level: number): NormalPosterior => {
  const found = normalPosterior({ estimate, se, prior, alpha: 1 - level });
  if (found.kind === 'no-information') throw new RangeError('an estimate without spread was refused before');
  return found;
};

const beliefOf = (
  { mean, ciLower, ciUpper, lossKeepControl, lossShipTreatment }: NormalPosterior,
  { direction }: MetricDefinition,
): Belief => ({
  mean,
  lower: ciLower,
  upper: ciUpper,
  lossIfShipped: direction === 'increase' ? lossShipTreatment : lossKeepControl,
  lossIfKept: direction === 'increase' ? lossKeepControl : lossShipTreatment,
});

const ofRates = (control: Required<Counted>, treatment: Required<Counted>, { metric, plan }: Read): BayesianComparison => {
  const prior = bayesianOf(plan).betaPrior;
  const level = plan.intervalLevel;
  const [a, b] = [betaPosterior(control.successes, control.n, prior), betaPosterior(treatment.successes, treatment.n, prior)];
  const { chanceToWin, lossKeepControl, lossShipTreatment } = compareBetaPosteriors(a, b);
  const isMore = metric.direction === 'increase';
  const [lossIfShipped, lossIfKept] = isMore ? [lossShipTreatment, lossKeepControl] : [lossKeepControl, lossShipTreatment];
  const reach = normal.isf((1 - level) / 2);
  const difference = meanOf(b) - meanOf(a);
  const spread = reach * Math.sqrt(varianceOf(a) + varianceOf(b));
  const ratio = logRateRatio(a, b);
  const [risk, lower, upper] = [0, -1, 1].map((side) => Math.exp(ratio.mean + side * reach * ratio.sd)) as [number, number, number];
  return {
    model: 'beta-binomial',
    prior,
    level,
    chanceToWin: isMore ? chanceToWin : 1 - chanceToWin,
    absolute: { mean: difference, lower: difference - spread, upper: difference + spread, lossIfShipped, lossIfKept },
    relative: {
      mean: risk - 1,
      lower: lower - 1,
      upper: upper - 1,
      lossIfShipped: lossIfShipped / meanOf(a),
      lossIfKept: lossIfKept / meanOf(a),
    },
    relativeRisk: { estimate: risk, lower, upper },
  };
};

const meanOf = ({ a, b }: BetaParameters): number => a / (a + b);
const varianceOf = ({ a, b }: BetaParameters): number => (a * b) / ((a + b) ** 2 * (a + b + 1));

/** That the treatment loses less than its margin, in the direction of the metric. @returns null on a scale where nothing is believed */
export const chanceWithin = (
  comparison: BayesianComparison,
  direction: MetricDefinition['direction'],
  margin: NonNullable<MetricUse['margin']>,
): number | null => {
  const { level, model, relativeRisk } = comparison;
  const [belief, lost] = 'relative' in margin ? [comparison.relative, margin.relative] : [comparison.absolute, margin.absolute];
  if ('refused' in belief || belief.lower === null || belief.upper === null) return null;
  const within = (mean: number, sd: number, bound: number) =>
    direction === 'increase' ? normal.sf((bound - mean) / sd) : normal.cdf((bound - mean) / sd);
  const sign = direction === 'increase' ? -1 : 1;
  const reach = 2 * normal.isf((1 - level) / 2);
  // The ratio of two rates is normal on its logarithm.
  if (model === 'beta-binomial' && 'relative' in margin && relativeRisk?.lower != null && relativeRisk.upper !== null)
    return within(Math.log(relativeRisk.estimate), Math.log(relativeRisk.upper / relativeRisk.lower) / reach, Math.log1p(sign * lost));
  return within(belief.mean, (belief.upper - belief.lower) / reach, sign * lost);
};
