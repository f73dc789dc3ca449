/** The charts of an experiment: one for each metric and treatment, what decides first. */
import type { ExperimentDefinition, Results, Timeseries } from '@rampart/contracts';
import { courseOf, marginLine, marksOf, type StageMark, scaleOf } from '../charts/course.js';
import { CourseChart } from '../charts/course-chart.js';

interface Props {
  readonly definition: ExperimentDefinition;
  readonly results: Results | undefined;
  readonly timeseries: Timeseries;
  readonly stages: readonly StageMark[];
}

export const CourseCharts = ({ definition, results, timeseries, stages }: Props) => {
  if (timeseries.points.length === 0) return <p className="faint">Nothing has been counted yet.</p>;
  const records = marksOf(timeseries);
  const newest = timeseries.points.at(-1);
  return (
    <div className="charts">
      {definition.metrics.flatMap((use) => {
        const found = newest?.metrics.find(({ metric }) => metric === use.metric);
        const result = results?.metrics.find(({ metric }) => metric === use.metric);
        const relative = scaleOf(use) === 'relative' && (found?.comparisons.some((one) => one.relative.estimate !== null) ?? false);
        const scale = relative ? 'relative' : 'absolute';
        const margin = scaleOf(use) === scale ? marginLine(use, result?.direction ?? 'increase') : null;
        return (found?.comparisons ?? []).map(({ treatment }) => (
          <div key={`${use.metric} ${treatment}`}>
            <h3>
              {result?.name ?? use.metric}{' '}
              <span className="faint small">
                {use.role}, {scale === 'relative' ? 'relative to control' : 'difference'}
                {definition.variants.length > 2 ? `, ${treatment}` : ''}
              </span>
            </h3>
            <CourseChart
              title={result?.name ?? use.metric}
              {...{ scale, margin, stages, records }}
              course={courseOf(timeseries, use.metric, treatment, scale)}
            />
          </div>
        ));
      })}
      {timeseries.counting > 0 && (
        <p className="faint small" role="status">
          Quantiles of {timeseries.counting} of {timeseries.points.length} moments are still being counted; the chart fills by itself.
        </p>
      )}
      <p className="faint small">
        Line: estimate. Band: where the effect lies, valid however often one looks. Upright lines: stages. Below: decision records, ▲ go, ▼
        no-go, ◆ continue or inconclusive, ■ invalid.
      </p>
    </div>
  );
};
