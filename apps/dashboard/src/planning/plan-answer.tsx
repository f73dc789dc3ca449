/** What it takes: the sentence, the numbers that a plan names, and what is found by when. */
import type { PowerPlan, PowerPlanFromHistory } from '@rampart/contracts';
import type { ReactNode } from 'react';
import { PlanChart } from '../charts/plan-chart.js';
import { count, figure, percent } from '../reading/numbers.js';

export type Plan = PowerPlan & Partial<Pick<PowerPlanFromHistory, 'history'>>;

interface Props {
  readonly plan: Plan;
  readonly unitsPerDay: number | undefined;
  readonly power: number;
  /** Takes what an experiment had over into fields that can be changed. */
  readonly takeOver: (history: NonNullable<Plan['history']>) => void;
}

export const PlanAnswer = ({ plan, unitsPerDay, power, takeOver }: Props) => {
  const { fixed, watched, plannedUnits, days, curve, history, sentence } = plan;
  const isRelative = curve.every(({ minimumEffect }) => minimumEffect === null || minimumEffect.relative !== null);
  const found = curve.map(({ units, minimumEffect }) => ({
    units,
    value: (isRelative ? minimumEffect?.relative : minimumEffect?.absolute) ?? null,
  }));
  return (
    <>
      <p className="big" data-plan={watched?.maximumUnits ?? fixed.total}>
        {sentence}
      </p>
      <dl className="facts">
        <Fact name={watched === null ? 'Units' : 'Units at most'}>
          {count(watched?.maximumUnits ?? fixed.total)}
          {watched !== null && <span className="faint"> ({figure(watched.inflation)} × one look)</span>}
        </Fact>
        {days !== null && <Fact name={watched === null ? 'Days' : 'Days at most'}>{count(days)}</Fact>}
        {watched !== null && unitsPerDay !== undefined && (
          <Fact name="Days on average">
            {figure(watched.averageUnits / unitsPerDay)}
            <span className="faint"> with the effect, {figure(watched.averageUnitsWithoutEffect / unitsPerDay)} without</span>
          </Fact>
        )}
        {watched !== null && (
          <Fact name="Units on average">
            {count(watched.averageUnits)}
            <span className="faint"> with the effect, {count(watched.averageUnitsWithoutEffect)} without</span>
          </Fact>
        )}
        <Fact name="At one look">
          {count(fixed.total)}
          <span className="faint">
            {' '}
            (control {count(fixed.control)}, a treatment {count(fixed.treatment)})
          </span>
        </Fact>
        {plannedUnits !== null && (
          <Fact name="plannedUnits of the analysis plan">
            {count(plannedUnits)}
            <span className="faint"> of control and one treatment</span>
          </Fact>
        )}
        {plan.alphaOfOne !== null && <Fact name="α of one comparison">{percent(plan.alphaOfOne)}</Fact>}
        {plan.assurance !== null && <Fact name="Chance of a gain, over the prior">{percent(plan.assurance)}</Fact>}
        {plan.withUnits !== null && <WithUnits {...plan.withUnits} />}
      </dl>
      {history !== undefined && (
        <p className="note small" data-history={history.metric}>
          Control had a mean of <strong>{figure(history.mean)}</strong> and a spread of <strong>{figure(history.sd)}</strong> over{' '}
          {count(history.units)} units
          {history.correlation !== null && <>, and a correlation of {figure(history.correlation)} with its covariate</>}.{' '}
          <button type="button" onClick={() => takeOver(history)}>
            Change these numbers
          </button>
        </p>
      )}
      <div className="columns">
        <PlanChart
          title="Chance to have found the effect"
          points={curve.map(({ units, power: value }) => ({ units, value }))}
          {...{ unitsPerDay, target: power, highest: 1, say: percent }}
        />
        <PlanChart
          title={isRelative ? 'Smallest effect found, of control’s mean' : 'Smallest effect found'}
          points={found}
          {...{ unitsPerDay, target: found.at(-1)?.value ?? 0, say: isRelative ? percent : figure }}
        />
      </div>
    </>
  );
};

const WithUnits = ({ units, power, minimumEffect }: NonNullable<PowerPlan['withUnits']>) => (
  <Fact name={`With ${count(units)} units`}>
    {minimumEffect === null ? (
      'nothing is tested: too few for a look'
    ) : (
      <>
        power {percent(power)}
        <span className="faint">
          , finds {minimumEffect.relative === null ? figure(minimumEffect.absolute) : percent(minimumEffect.relative)}
        </span>
      </>
    )}
  </Fact>
);

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
