/** A metric: what is measured per unit. Every version is kept as it was defined: what has been decided with it must be countable again. */

export type Aggregate = 'sum' | 'max' | 'min' | 'first' | 'last' | 'count';

export interface EventSelector {
  readonly event: string;
  readonly filters: readonly {
    readonly property: string;
    readonly operator: 'eq' | 'ne' | 'in' | 'nin' | 'gt' | 'gte' | 'lt' | 'lte' | 'exists';
    readonly value?: string | number | boolean | readonly (string | number)[] | undefined;
  }[];
  readonly property?: string | undefined;
}

export interface MetricDefinition {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly type: 'proportion' | 'mean' | 'count' | 'ratio' | 'first-error' | 'quantile' | 'retention' | 'funnel';
  readonly unitType: string;
  readonly numerator: EventSelector;
  readonly denominator?: EventSelector | undefined;
  /** Funnel only: what comes before the numerator. */
  readonly steps?: readonly EventSelector[] | undefined;
  readonly aggregate: Aggregate;
  readonly denominatorAggregate: Aggregate;
  readonly quantileLevel?: number | undefined;
  readonly quantileOf?: 'events' | 'units' | undefined;
  /** Events carry value × scale. */
  readonly scale: number;
  readonly delayUs: number;
  /** null: open end, so that a unit's value is never final. */
  readonly windowUs: number | null;
  readonly capLower?: string | undefined;
  readonly capUpper?: string | undefined;
  readonly capQuantile?:
    | { readonly lower?: number | undefined; readonly upper?: number | undefined; readonly ignoreZeros: boolean; readonly cohort: number }
    | undefined;
  readonly covariate?:
    | {
        readonly selector?: EventSelector | undefined;
        /** Ratio only. */
        readonly denominator?: EventSelector | undefined;
        readonly lookbackUs: number;
        readonly whenMissing: 'zero' | 'exclude';
      }
    | undefined;
  readonly covariates?:
    | readonly { readonly selector: EventSelector; readonly lookbackUs: number; readonly whenMissing: 'zero' | 'exclude' }[]
    | undefined;
  /** Which way is good. */
  readonly direction: 'increase' | 'decrease';
  readonly population: 'exposed' | 'assigned';
}

export type MetricEvent = {
  readonly type: 'MetricDefined';
  readonly version: number;
  readonly definition: MetricDefinition;
  readonly atUs: number;
};

export interface MetricVersion {
  readonly version: number;
  readonly definition: MetricDefinition;
  readonly definedAtUs: number;
}

/** Versions in order, beginning with 1; none: the metric does not exist. */
export interface Metric {
  readonly versions: readonly MetricVersion[];
}

export const initialMetric: Metric = { versions: [] };

export const evolveMetric = ({ versions }: Metric, { version, definition, atUs }: MetricEvent): Metric => ({
  versions: [...versions, { version, definition, definedAtUs: atUs }],
});
