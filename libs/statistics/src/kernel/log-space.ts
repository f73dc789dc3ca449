/** Sums of numbers that are kept as logarithms because they overflow. */

/** ln Σ e^x, without overflow; −Number.MAX_VALUE stands for ln 0. */
export const logSumExp = (logs: readonly number[]): number => {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, x) => sum + Math.exp(x - largest), 0));
};

/** ln of the arithmetic mean of numbers given as logarithms. */
export const logMeanExp = (logs: readonly number[]): number => logSumExp(logs) - Math.log(logs.length);
