/** What a row is to which metric, as one number: each (metric, meaning) has a bit. */

import { closesAfterUs, type Measure, type MeasuredMetric, takesValues } from '../definition/measures.js';
import type { ComparisonQuery } from '../feedback-store.js';
import { scopeOf } from '../row-identity.js';
import type { Parameters } from './clickhouse-parameters.js';
import { filtersSql, type ValueSql, valueSql } from './clickhouse-selectors.js';

/** A metric with its place in the query. */
export interface PlannedMetric {
  readonly index: number;
  readonly measured: MeasuredMetric;
  readonly closesAfterUs: number | null;
  /** Metrics of one counting count the same units. */
  readonly counting: string;
}

export const plannedMetric = (measured: MeasuredMetric, index: number, query: ComparisonQuery): PlannedMetric => {
  const afterUs = closesAfterUs(measured, query.allowedLatenessUs);
  return { index, measured, closesAfterUs: afterUs, counting: `${afterUs}${measured.countsWhileOpen ? 'early' : ''}` };
};

export type Role = 'numerator' | 'denominator' | `step${number}` | `covariate${number}`;
export type Meaning = Role | 'late' | 'unconverted';

const meaningsOf = ({ measured }: PlannedMetric): readonly Meaning[] => [
  'numerator',
  'late',
  'unconverted',
  ...(measured.denominator === null ? [] : (['denominator'] as const)),
  ...measured.steps.map((_, place) => `step${place}` as const),
  ...measured.covariates.map((_, place) => `covariate${place}` as const),
];

const MASK_BITS = 64;

/** As many metrics together as one mask has room for. */
export const maskfuls = (metrics: readonly PlannedMetric[]): readonly (readonly PlannedMetric[])[] => {
  const groups: PlannedMetric[][] = [];
  let bits = MASK_BITS;
  for (const metric of metrics) {
    bits += meaningsOf(metric).length;
    if (bits > MASK_BITS) {
      groups.push([]);
      bits = meaningsOf(metric).length;
    }
    groups.at(-1)?.push(metric);
  }
  return groups;
};

/** What one measure does with the rows of its scope. */
export interface RoleSql {
  readonly metric: PlannedMetric;
  readonly role: Role;
  readonly measure: Measure;
  /** Of a covariate, which lies before the exposure. */
  readonly lookbackUs: number | null;
  readonly scope: bigint;
  readonly filters: string;
  readonly value: ValueSql;
}

export const rolesOf = (metric: PlannedMetric, query: ComparisonQuery, parameters: Parameters): readonly RoleSql[] =>
  measuresByRole(metric.measured).map(({ role, measure, lookbackUs }) => ({
    metric,
    role,
    measure,
    lookbackUs,
    scope: scopeOf({ ...query, name: measure.selector.event }),
    filters: filtersSql(measure.selector.filters, parameters),
    value: valueSql(measure.selector, parameters),
  }));

const measuresByRole = ({
  numerator,
  denominator,
  steps,
  covariates,
}: MeasuredMetric): readonly Pick<RoleSql, 'role' | 'measure' | 'lookbackUs'>[] => [
  { role: 'numerator', measure: numerator, lookbackUs: null },
  ...(denominator === null ? [] : [{ role: 'denominator' as const, measure: denominator, lookbackUs: null }]),
  ...steps.map((measure, place) => ({ role: `step${place}` as const, measure, lookbackUs: null })),
  ...covariates.map((measure, place) => ({ role: `covariate${place}` as const, measure, lookbackUs: measure.lookbackUs })),
];

export class Masks {
  private readonly bits = new Map<string, number>();

  constructor(metrics: readonly PlannedMetric[]) {
    for (const metric of metrics) {
      for (const meaning of meaningsOf(metric)) this.bits.set(`${metric.index} ${meaning}`, this.bits.size);
    }
  }

  bit(metric: PlannedMetric, meaning: Meaning): number {
    const bit = this.bits.get(`${metric.index} ${meaning}`);
    if (bit === undefined) throw new RangeError(`metric ${metric.index} has no ${meaning}`);
    return bit;
  }

  has(metric: PlannedMetric, meaning: Meaning): string {
    return `bitTest(mask, ${this.bit(metric, meaning)})`;
  }

  /** All bits of a metric: what a unit that takes part in it may have. */
  all(metric: PlannedMetric): bigint {
    return meaningsOf(metric).reduce((sum, meaning) => sum | (1n << BigInt(this.bit(metric, meaning))), 0n);
  }

  /** Rows that are only counted. */
  rare(metrics: readonly PlannedMetric[]): bigint {
    return metrics.reduce(
      (sum, metric) => sum | (1n << BigInt(this.bit(metric, 'late'))) | (1n << BigInt(this.bit(metric, 'unconverted'))),
      0n,
    );
  }

  /**
   * Each condition once: a statement takes the longer to plan the more often it says a thing.
   * @returns conditions of a row with columns scope, age and lag (event time and known time after the first exposure); the mask, of columns scope and c0, c1 …
   */
  sql(roles: readonly RoleSql[]): { readonly conditions: readonly string[]; readonly mask: string } {
    const scopes = [...new Set(roles.map(({ scope }) => scope))];
    const conditions: string[] = [];
    const cases = scopes.map((scope) => {
      const bits = this.bitsOf(roles.filter((role) => role.scope === scope));
      const terms = [...bits].map(([condition, mask]) => {
        if (!conditions.includes(condition)) conditions.push(condition);
        return `if(c${conditions.indexOf(condition)}, toUInt64(${mask}), 0)`;
      });
      return `scope = ${scope}, ${terms.reduce((all, term) => `bitOr(${all}, ${term})`)}`;
    });
    return { conditions, mask: `multiIf(${cases.join(', ')}, toUInt64(0))` };
  }

  /** What a row is where a condition holds. */
  private bitsOf(roles: readonly RoleSql[]): ReadonlyMap<string, bigint> {
    const bits = new Map<string, bigint>();
    for (const role of roles) {
      for (const [meaning, condition] of conditionsOf(role)) {
        // Properties are dear to read: only in rows of that scope.
        const own = role.filters === '' ? condition : `scope = ${role.scope} AND ${condition}`;
        bits.set(own, (bits.get(own) ?? 0n) | (1n << BigInt(this.bit(role.metric, meaning))));
      }
    }
    return bits;
  }
}

const conditionsOf = ({ metric, role, measure, lookbackUs, filters, value }: RoleSql): readonly (readonly [Meaning, string])[] => {
  const { delayUs, windowUs } = metric.measured;
  const all = (...conditions: readonly string[]) => conditions.filter((condition) => condition !== '').join(' AND ');
  const inTime = metric.closesAfterUs === null ? '' : `lag <= ${metric.closesAfterUs}`;
  const hasValue = takesValues(measure) ? value.hasValue : '';
  if (lookbackUs !== null) return [[role, all('age < 0', `age >= -${lookbackUs}`, inTime, hasValue, filters)]];
  const inWindow = all(`age >= ${delayUs}`, windowUs === null ? '' : `age < ${delayUs + windowUs}`, filters);
  return [
    [role, all(inWindow, inTime, hasValue)],
    ...(inTime === '' ? [] : [['late', `${inWindow} AND NOT (${inTime})`] as const]),
    ...(hasValue === '' ? [] : [['unconverted', all(inWindow, inTime, `NOT (${hasValue})`)] as const]),
  ];
};
