/** Metrics whose value is a share of units: said in percent. The contracts' own list would bring their schemas into the page. */
const SHARES: ReadonlySet<string> = new Set(['proportion', 'first-error', 'retention', 'funnel']);

/** @param type  of a metric */
export const isShareOfUnits = (type: string): boolean => SHARES.has(type);
