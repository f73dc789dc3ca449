/** All effects as they are now, one below the other on one scale, with their numbers beside them. */
import type { Comparison, MetricResult, MetricUse, Results } from '@rampart/contracts';
import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import type { ReactNode } from 'react';
import { Wide } from '../parts/wide.js';
import { count, figure, interval, percent, probability, signed, signedPercent } from '../reading/numbers.js';
import { isShareOfUnits } from '../reading/share-metrics.js';
import { capsCut, type EffectRow, effectRow, uncappedRow } from './effect-row.js';

interface Props {
  readonly results: Pick<Results, 'metrics' | 'plan'>;
  readonly uses: readonly MetricUse[];
  /** What `adjustedP` allows for; the plan's own correction unless told. */
  readonly adjustedBy?: string;
}

const CORRECTIONS: Readonly<Record<Results['plan']['multiplicity'], string>> = {
  none: '',
  bonferroni: 'Bonferroni',
  holm: 'Holm',
  hochberg: 'Hochberg',
  bh: 'Benjamini–Hochberg',
  by: 'Benjamini–Yekutieli',
  'e-bh': 'e-BH',
};

const WIDTH = 260;
const HEIGHT = 30;

export const ForestPlot = ({ results: { metrics, plan }, uses, adjustedBy = `one look, ${CORRECTIONS[plan.multiplicity]}` }: Props) => {
  const rows = metrics.flatMap((metric) =>
    metric.comparisons.map((comparison) => {
      const use = plannedUse(uses, metric);
      return { metric, comparison, row: effectRow(metric, comparison, use), uncapped: uncappedRow(metric, comparison, use) };
    }),
  );
  const isManyArmed = metrics.some(({ comparisons }) => comparisons.length > 1);
  return (
    <Wide label="Effects by metric">
      <table className="forest">
        <thead>
          <tr>
            <th scope="col">metric</th>
            <th scope="col">effect on the treatment</th>
            <th scope="col" className="number">
              estimate
            </th>
            <th scope="col" className="number">
              interval at any time
            </th>
            <th scope="col" className="number">
              p
            </th>
            <th scope="col">per arm</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ metric, comparison, row, uncapped }) => (
            <tr key={`${metric.metric} ${comparison.treatment}`} data-metric={metric.metric}>
              <th scope="row">
                {metric.name}
                {isManyArmed && <> ({comparison.treatment})</>}
                <br />
                <span className="faint small">
                  {metric.role}, {metric.direction === 'increase' ? 'more is better' : 'less is better'}
                  <CapsCut metric={metric} />
                </span>
              </th>
              <td>
                <Interval title={metric.name} row={row} />
              </td>
              <td className="number" data-label="estimate" data-number="estimate">
                {row.refused === null ? sayOf(row)(row.estimate) : <span className="faint">{row.refused}</span>}
                {uncapped !== undefined && <WithoutCaps>{uncapped.refused ?? sayOf(uncapped)(uncapped.estimate)}</WithoutCaps>}
              </td>
              <td className="number" data-label="interval" data-number="interval">
                {row.estimate !== null && row.lower === null && row.upper === null ? (
                  <span className="faint">too few to say</span>
                ) : (
                  interval(row.lower, row.upper, sayOf(row))
                )}
                {uncapped !== undefined && <WithoutCaps>{interval(uncapped.lower, uncapped.upper, sayOf(uncapped))}</WithoutCaps>}
                {row.margin !== null && (
                  <>
                    <br />
                    <span className="faint small">margin {sayOf(row)(row.margin)}</span>
                  </>
                )}
              </td>
              <td className="number" data-label="p">
                {probability(row.p)}
                {row.adjustedP !== null && (
                  <>
                    <br />
                    <span className="faint small">
                      {adjustedBy} {probability(row.adjustedP)}
                    </span>
                  </>
                )}
              </td>
              <td className="small">
                <Arms metric={metric} comparison={comparison} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
};

const sayOf = ({ scale }: EffectRow) => (scale === 'relative' ? signedPercent : signed);
const plannedUse = (uses: readonly MetricUse[], { metric }: MetricResult) => uses.find((use) => use.metric === metric);

const WithoutCaps = ({ children }: { readonly children: ReactNode }) => (
  <>
    <br />
    <span className="faint small" data-number="without-caps">
      without caps {children}
    </span>
  </>
);

const CapsCut = ({ metric }: { readonly metric: MetricResult }) => {
  const shares = capsCut(metric);
  if (shares.length === 0) return null;
  return (
    <span data-number="caps-cut">
      <br />
      caps cut {shares.map(({ arm, share }) => `${percent(share)} of ${arm}`).join(', ')}
    </span>
  );
};

const Interval = ({ title, row }: { readonly title: string; readonly row: EffectRow }) => {
  const { estimate, lower, upper, margin, verdictSide } = row;
  if (estimate === null) return <span className="faint">–</span>;
  const reach = (max([estimate, lower ?? estimate, upper ?? estimate, margin ?? 0].map(Math.abs)) ?? 1) * 1.1 || 1;
  // An interval of a handful of units would make every other thing a dot.
  const x = scaleLinear([-reach, reach], [4, WIDTH - 4]).clamp(true);
  const say = sayOf(row);
  return (
    <svg
      className={`interval ${verdictSide}`}
      role="img"
      aria-label={`${title}: ${say(estimate)}, interval ${interval(lower, upper, say)}${margin === null ? '' : `, margin ${say(margin)}`}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
    >
      <line className="zero" x1={x(0)} x2={x(0)} y1={2} y2={HEIGHT - 2} />
      {margin !== null && <line className="margin" x1={x(margin)} x2={x(margin)} y1={2} y2={HEIGHT - 2} />}
      {lower !== null && upper !== null && <line className="bar" x1={x(lower)} x2={x(upper)} y1={HEIGHT / 2} y2={HEIGHT / 2} />}
      <circle className="estimate" cx={x(estimate)} cy={HEIGHT / 2} r={5} />
    </svg>
  );
};

const Arms = ({ metric, comparison }: { readonly metric: MetricResult; readonly comparison: Comparison }) => {
  const say = isShareOfUnits(metric.type) ? percent : figure;
  return (
    <>
      {metric.arms
        .filter(({ arm }) => arm === comparison.treatment || arm === comparison.control)
        .map(({ arm, n, mean }) => (
          <span key={arm} className="arm" data-arm={arm}>
            {arm}: {say(mean)} of {count(n)}
          </span>
        ))}
    </>
  );
};
