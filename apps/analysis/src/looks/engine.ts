/** The version of everything that turns sums into a verdict: a change of statistics, rules or sentences' numbers raises it. */
export const ENGINE = 'rampart/5';

/** Its records have no seal. */
export const ENGINE_WITHOUT_SEAL = 'rampart/1';
