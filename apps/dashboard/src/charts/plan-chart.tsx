/** What a plan finds by when: one curve over its runtime, the level that is asked for, and the same as a table. */
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { Wide } from '../parts/wide.js';
import { count, figure } from '../reading/numbers.js';
import { useWidth } from './use-width.js';

export interface RuntimePoint {
  readonly units: number;
  /** Null: nothing is tested so early. */
  readonly value: number | null;
}

interface Props {
  readonly title: string;
  readonly points: readonly RuntimePoint[];
  readonly unitsPerDay: number | undefined;
  readonly target: number;
  /** Of the axis: 0 to this; absent: as high as the target's half dozen. */
  readonly highest?: number;
  readonly say: (value: number | null) => string;
}

const HEIGHT = 230;
const EDGE = { left: 62, right: 16, top: 16, bottom: 40 };

export const PlanChart = ({ title, points, unitsPerDay, target, highest = 6 * target, say }: Props) => {
  const [place, width] = useWidth(560);
  const drawn = points.filter(
    (point): point is RuntimePoint & { value: number } => point.value !== null && point.value <= highest * 1.0001,
  );
  const last = points.at(-1);
  if (last === undefined) return null;
  const runtime = (units: number) => (unitsPerDay === undefined ? units : units / unitsPerDay);
  const unit = unitsPerDay === undefined ? 'units of all arms' : 'days';
  const x = scaleLinear([0, runtime(last.units)], [EDGE.left, width - EDGE.right]);
  const top = Math.min(highest, 1.1 * Math.max(target, ...drawn.map(({ value }) => value)));
  const y = scaleLinear([0, top], [HEIGHT - EDGE.bottom, EDGE.top]);
  const path = line<RuntimePoint & { value: number }>(
    ({ units }) => x(runtime(units)),
    ({ value }) => y(value),
  );
  const halfway = points[Math.ceil(points.length / 2) - 1];
  const sayRuntime = (units: number) => `${unitsPerDay === undefined ? count(units) : figure(runtime(units))} ${unit}`;
  const label = `${title}: ${halfway === undefined ? '' : `${say(halfway.value)} after ${sayRuntime(halfway.units)}, `}${say(last.value)} after ${sayRuntime(last.units)}. The table below has every point.`;
  return (
    <figure className="chart">
      <figcaption>
        <h3>{title}</h3>
      </figcaption>
      <div ref={place}>
        <svg role="img" aria-label={label} width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
          {y.ticks(5).map((tick) => (
            <g key={tick} className="tick">
              <line x1={EDGE.left} x2={width - EDGE.right} y1={y(tick)} y2={y(tick)} />
              <text x={EDGE.left - 6} y={y(tick)} dy="0.32em" textAnchor="end">
                {say(tick)}
              </text>
            </g>
          ))}
          {x.ticks(Math.max(2, Math.floor(width / 120))).map((tick) => (
            <text key={tick} x={x(tick)} y={HEIGHT - EDGE.bottom + 16} textAnchor="middle">
              {count(tick)}
            </text>
          ))}
          <text x={(EDGE.left + width - EDGE.right) / 2} y={HEIGHT - 4} textAnchor="middle">
            {unit}
          </text>
          <line className="margin" x1={EDGE.left} x2={width - EDGE.right} y1={y(target)} y2={y(target)} />
          <path className="estimate" d={path(drawn) ?? ''} />
          {drawn.map(({ units, value }) => (
            <circle key={units} className="point" cx={x(runtime(units))} cy={y(value)} r={3}>
              <title>{`${say(value)} after ${sayRuntime(units)}`}</title>
            </circle>
          ))}
        </svg>
      </div>
      <details>
        <summary>{title} as a table</summary>
        <Wide label={`${title}, points`}>
          <table>
            <thead>
              <tr>
                {unitsPerDay !== undefined && (
                  <th scope="col" className="number">
                    days
                  </th>
                )}
                <th scope="col" className="number">
                  units
                </th>
                <th scope="col" className="number">
                  {title}
                </th>
              </tr>
            </thead>
            <tbody>
              {points.map(({ units, value }) => (
                <tr key={units}>
                  {unitsPerDay !== undefined && <td className="number">{figure(runtime(units))}</td>}
                  <td className="number">{count(units)}</td>
                  <td className="number">{say(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      </details>
    </figure>
  );
};
