/** An effect over time: its estimate, the band it lies in however often one looks, and what happened meanwhile. */
import { scaleLinear, scaleUtc } from 'd3-scale';
import { area, line } from 'd3-shape';
import { useId } from 'react';
import { Wide } from '../parts/wide.js';
import { absolute, timeOfDay } from '../reading/durations.js';
import { interval, signed, signedPercent } from '../reading/numbers.js';
import { type CoursePoint, frameOf, type RecordMark, type Scale, type StageMark, stagesWithin } from './course.js';
import { useWidth } from './use-width.js';

interface Props {
  readonly title: string;
  readonly scale: Scale;
  readonly course: readonly CoursePoint[];
  readonly margin: number | null;
  readonly stages: readonly StageMark[];
  readonly records: readonly RecordMark[];
}

const HEIGHT = 220;
const EDGE = { left: 62, right: 14, top: 26, bottom: 26 };

export const CourseChart = ({ title, scale, course, margin, stages, records }: Props) => {
  const [place, width] = useWidth(640);
  const clip = useId();
  const say = scale === 'relative' ? signedPercent : signed;
  const drawn = course.filter(({ estimate }) => estimate !== null);
  const newest = drawn.at(-1);
  const first = course[0];
  const last = course.at(-1);
  if (newest === undefined || first === undefined || last === undefined) {
    return <p className="faint">No effect can be told yet: there are too few units.</p>;
  }
  const x = scaleUtc([first.atMs, Math.max(last.atMs, first.atMs + 1_000)], [EDGE.left, width - EDGE.right]);
  const y = scaleLinear(frameOf(course, [margin]), [HEIGHT - EDGE.bottom, EDGE.top]);
  const banded = course.filter(({ lower, upper }) => lower !== null && upper !== null);
  const band = area<CoursePoint>(
    (point) => x(point.atMs),
    (point) => y(point.lower ?? 0),
    (point) => y(point.upper ?? 0),
  );
  const path = line<CoursePoint>(
    (point) => x(point.atMs),
    (point) => y(point.estimate ?? 0),
  );
  const isShown = ({ atMs }: { readonly atMs: number }) => atMs >= first.atMs - 1 && atMs <= last.atMs + 1;
  const label = `${title}: newest estimate ${say(newest.estimate)}, interval ${interval(newest.lower, newest.upper, say)}${
    margin === null ? '' : `, margin ${say(margin)}`
  }. ${stagesWithin(stages, first.atMs, last.atMs).length} stages, ${records.length} decision records. The table below has every point.`;
  return (
    <figure className="chart">
      <div ref={place}>
        <svg role="img" aria-label={label} width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
          <clipPath id={clip}>
            <rect x={EDGE.left} y={EDGE.top} width={width - EDGE.left - EDGE.right} height={HEIGHT - EDGE.top - EDGE.bottom} />
          </clipPath>
          {y.ticks(5).map((tick) => (
            <g key={tick} className="tick">
              <line x1={EDGE.left} x2={width - EDGE.right} y1={y(tick)} y2={y(tick)} />
              <text x={EDGE.left - 6} y={y(tick)} dy="0.32em" textAnchor="end">
                {say(tick)}
              </text>
            </g>
          ))}
          {x.ticks(Math.max(2, Math.floor(width / 150))).map((tick) => (
            <text key={tick.getTime()} x={x(tick)} y={HEIGHT - 8} textAnchor="middle">
              {timeOfDay(tick.getTime())}
            </text>
          ))}
          <g clipPath={`url(#${clip})`}>
            <path className="band" d={band(banded) ?? ''} />
            <line className="zero" x1={EDGE.left} x2={width - EDGE.right} y1={y(0)} y2={y(0)} />
            {margin !== null && <line className="margin" x1={EDGE.left} x2={width - EDGE.right} y1={y(margin)} y2={y(margin)} />}
            <path className="estimate" d={path(drawn) ?? ''} />
          </g>
          {margin !== null && (
            <text className="margin-text" x={width - EDGE.right} y={y(margin)} dy="-0.4em" textAnchor="end">
              margin {say(margin)}
            </text>
          )}
          <Stages stages={stagesWithin(stages, first.atMs, last.atMs)} x={(atMs) => x(atMs)} right={width - EDGE.right} />
          {records.filter(isShown).map(({ atMs, record, verdict, sentence }) => (
            <path
              key={record}
              className={`record-mark ${verdict ?? 'none'}`}
              transform={`translate(${x(atMs)} ${HEIGHT - EDGE.bottom})`}
              d={SHAPES[verdict ?? 'none']}
            >
              <title>{`${absolute(atMs)}: ${sentence ?? 'a record'}`}</title>
            </path>
          ))}
        </svg>
      </div>
      <Points {...{ title, course, say }} />
    </figure>
  );
};

/** A name is written where there is room for it up to the next stage. */
const Stages = ({
  stages,
  x,
  right,
}: {
  readonly stages: readonly StageMark[];
  readonly x: (atMs: number) => number;
  readonly right: number;
}) =>
  stages.map(({ atMs, name }, index) => {
    const left = x(atMs);
    const next = stages[index + 1];
    const room = (next === undefined ? right : x(next.atMs)) - left;
    return (
      <g key={`${atMs} ${name}`} className="stage-mark">
        <line x1={left} x2={left} y1={EDGE.top - 8} y2={HEIGHT - EDGE.bottom}>
          <title>{name}</title>
        </line>
        {room > name.length * 6.5 && (
          <text x={left + 2} y={EDGE.top - 12}>
            {name}
          </text>
        )}
      </g>
    );
  });

interface PointsProps {
  readonly title: string;
  readonly course: readonly CoursePoint[];
  readonly say: (value: number | null | undefined) => string;
}

const Points = ({ title, course, say }: PointsProps) => (
  <details>
    <summary>{title} as a table</summary>
    <Wide label={`${title}, points`}>
      <table>
        <thead>
          <tr>
            <th scope="col">as of</th>
            <th scope="col" className="number">
              estimate
            </th>
            <th scope="col" className="number">
              interval
            </th>
          </tr>
        </thead>
        <tbody>
          {course.map(({ atMs, estimate, lower, upper }) => (
            <tr key={atMs}>
              <th scope="row">{absolute(atMs)}</th>
              <td className="number">{say(estimate)}</td>
              <td className="number">{interval(lower, upper, say)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  </details>
);

/** Go points up, no-go points down, what is in between is a diamond: no colour is needed to tell them apart. */
const SHAPES: Readonly<Record<NonNullable<RecordMark['verdict']> | 'none', string>> = {
  go: 'M0 -7 L6 4 L-6 4 Z',
  'no-go': 'M0 7 L6 -4 L-6 -4 Z',
  continue: 'M0 -4 L4 0 L0 4 L-4 0 Z',
  inconclusive: 'M0 -5 L5 0 L0 5 L-5 0 Z',
  invalid: 'M-5 -5 L5 -5 L5 5 L-5 5 Z',
  none: 'M0 -3 L3 0 L0 3 L-3 0 Z',
};
