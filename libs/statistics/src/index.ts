export * from './comparison/compare-means.js';
export * from './comparison/compared-effect.js';
export { beta, chiSquare, gamma, logGamma, normal, studentT } from './distributions.js';
export * from './quality/srm.js';
export * from './sums/co-moments.js';
export * from './sums/moments.js';
