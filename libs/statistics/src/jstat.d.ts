/** The part of jStat 1.9.6 that Rampart calls; the package ships no types. */
declare module 'jstat' {
  const module: {
    readonly jStat: {
      readonly normal: { cdf(x: number, mean: number, sd: number): number };
      gammaln(x: number): number;
    };
  };
  // biome-ignore lint/style/noDefaultExport: this is how a CommonJS module looks from ESM
  export default module;
}
