/** What an experiment that runs could have found by now, and how long it takes until it finds what it was made for. */
import type { Comparison, Results } from '@rampart/contracts';
import { Wide } from '../parts/wide.js';
import { count, figure, NOTHING, percent } from '../reading/numbers.js';

export const ReachedPower = ({ results: { metrics } }: { readonly results: Results }) => {
  const rows = metrics.flatMap(({ metric, comparisons }) =>
    comparisons.flatMap(({ treatment, powerReached }) => (powerReached === undefined ? [] : [{ metric, treatment, powerReached }])),
  );
  if (rows.length === 0) return <p className="faint">It judges no metric yet.</p>;
  return (
    <Wide label="Power reached">
      <table>
        <thead>
          <tr>
            <th scope="col">metric</th>
            <th scope="col">treatment</th>
            <th scope="col" className="number">
              power by now
            </th>
            <th scope="col" className="number">
              finds now
            </th>
            <th scope="col" className="number">
              further units
            </th>
            <th scope="col" className="number">
              further days
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ metric, treatment, powerReached }) => (
            <tr key={`${metric} ${treatment}`} data-reached={metric}>
              <th scope="row">{metric}</th>
              <td>{treatment}</td>
              <Reached reached={powerReached} />
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
};

const Reached = ({ reached }: { readonly reached: NonNullable<Comparison['powerReached']> }) => {
  if ('refused' in reached)
    return (
      <td colSpan={4} className="faint">
        not yet: {reached.refused.toLowerCase().replaceAll('_', ' ')}
      </td>
    );
  const { power, plannedPower, detectable, furtherUnits, furtherDays, minimumEffect } = reached;
  return (
    <>
      <td className="number">{power === null ? 'no smallest effect named' : `${percent(power)} of ${percent(plannedPower)}`}</td>
      <td className="number">{detectable.relative === null ? figure(detectable.absolute) : percent(detectable.relative)}</td>
      <td className="number">{furtherUnits === null ? NOTHING : count(furtherUnits)}</td>
      <td className="number">{furtherDays === null || minimumEffect === null ? NOTHING : figure(furtherDays)}</td>
    </>
  );
};
