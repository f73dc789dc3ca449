/** The same effects among parts of the units: by a property that they had, or by the arm that they have in another experiment. */
import type { DimensionBreakdown, DimensionValue, Effect, Interaction, MetricInteraction, MetricUse, Results } from '@rampart/contracts';
import { useState } from 'react';
import type { ExperimentDocument } from '../access/documents.js';
import { type BrokenDownBy, useBreakdown, useExperiments } from '../access/queries.js';
import { ForestPlot } from '../charts/forest-plot.js';
import { count, interval, NOTHING, probability, signed } from '../reading/numbers.js';
import { overlapping } from '../reading/overlapping.js';
import { Shown, Skeleton } from './notes.js';
import { Wide } from './wide.js';

const PROPERTY = 'property';

export const Breakdown = ({ document, environment }: { readonly document: ExperimentDocument; readonly environment: string }) => {
  const [by, choose] = useState('');
  const [property, name] = useState('');
  const experiments = useExperiments();
  const others = overlapping(experiments.data?.items ?? [], document, environment);
  const chosen: BrokenDownBy | undefined =
    by === PROPERTY ? (property === '' ? undefined : { dimension: property }) : by === '' ? undefined : { interaction: by.slice(1) };
  return (
    <>
      <div className="tools">
        <label htmlFor="by">By</label>
        <select id="by" value={by} onChange={({ target }) => choose(target.value)}>
          <option value="">nothing: all units together</option>
          <option value={PROPERTY}>a property of the exposures</option>
          {others.map(({ key, definition }) => (
            <option key={key} value={`/${key}`}>
              the arms of {definition.name}
            </option>
          ))}
        </select>
        {by === PROPERTY && (
          <form
            className="tools"
            onSubmit={(event) => {
              event.preventDefault();
              name(String(new FormData(event.currentTarget).get('property') ?? '').trim());
            }}
          >
            <input name="property" aria-label="Property of the exposures" placeholder="country" defaultValue={property} maxLength={200} />
            <button type="submit">Show</button>
          </form>
        )}
      </div>
      {chosen !== undefined && <Parts experiment={document.key} uses={document.definition.metrics} by={chosen} />}
    </>
  );
};

interface PartsProps {
  readonly experiment: string;
  readonly uses: readonly MetricUse[];
  readonly by: BrokenDownBy;
}

const Parts = ({ experiment, uses, by }: PartsProps) => (
  <Shown reading={useBreakdown(experiment, by)} lines={6}>
    {({ dimension, interaction, plan, metrics }) => {
      const isWatched = metrics.some(({ comparisons }) => comparisons.some(({ anytime }) => anytime !== null));
      const shown = { uses, plan, adjustedBy: `${isWatched ? 'at any look' : 'one look'}, Benjamini–Hochberg` };
      // The answer to what was asked before stays until the next one is there.
      if ('interaction' in by)
        return interaction?.experiment === by.interaction ? <Interacting {...shown} interaction={interaction} /> : <Skeleton lines={6} />;
      return dimension?.property === by.dimension ? <Dimension {...shown} dimension={dimension} /> : <Skeleton lines={6} />;
    }}
  </Shown>
);

interface ShownAs {
  readonly uses: readonly MetricUse[];
  readonly plan: Results['plan'];
  readonly adjustedBy: string;
}

const Dimension = ({ dimension, ...shown }: ShownAs & { readonly dimension: DimensionBreakdown }) => {
  const { property, values, heterogeneity } = dimension;
  if (values.length === 0) return <p className="note">Nobody is counted yet.</p>;
  if (values.every(({ value }) => value === ''))
    return (
      <p className="note">No unit had the property {property} at its first exposure. Exposures that Rampart writes itself carry none.</p>
    );
  return (
    <>
      {heterogeneity.map(({ metric, treatment, p, iSquared, isSimpson }) => (
        <p key={`${metric} ${treatment}`} className={p < 0.01 || isSimpson ? 'warn-text' : 'faint small'}>
          {metric}: the effect of {treatment} {p < 0.01 ? 'differs' : 'does not differ by more than chance'} between values (Q: p{' '}
          {probability(p)}, I² {Math.round(iSquared * 100)} %)
          {isSimpson && '; over all values its sign is that of none of them'}.
        </p>
      ))}
      {values.map((value) => (
        <Part key={String(value.value)} part={value} title={`${property} ${nameOf(value.value)}`} {...shown} />
      ))}
    </>
  );
};

const nameOf = (value: string | null): string => (value === null ? 'all others' : value === '' ? 'not told' : value);

const Interacting = ({ interaction, ...shown }: ShownAs & { readonly interaction: Interaction }) => {
  const { experiment, arms, interactions, independence, notes } = interaction;
  return (
    <>
      {notes.map((note) => (
        <p key={note} className="warn-text">
          {note}
        </p>
      ))}
      <p className="faint small">
        {'refused' in independence
          ? `Too few units are in both to tell whether the arms hold each other in equal shares (${independence.refused.toLowerCase().replaceAll('_', ' ')}).`
          : `${independence.failed ? '! The arms do not hold' : '✓ The arms hold'} each other in equal shares, p ${probability(independence.p)}.`}
      </p>
      {interactions.length > 0 && (
        <Wide label={`How effects differ by the arms of ${experiment}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">metric</th>
                <th scope="col">the effect of … is, where units have …, higher by</th>
                <th scope="col" className="number">
                  interval
                </th>
                <th scope="col" className="number">
                  adjusted p
                </th>
              </tr>
            </thead>
            <tbody>
              {interactions.map((one) => (
                <Difference key={`${one.metric} ${one.treatment} ${one.otherTreatment}`} one={one} />
              ))}
            </tbody>
          </table>
        </Wide>
      )}
      {arms.map((arm) => (
        <Part
          key={String(arm.value)}
          part={arm}
          title={arm.value === null ? `not counted in ${experiment}` : `${arm.value} of ${experiment}`}
          {...shown}
        />
      ))}
    </>
  );
};

const Difference = ({ one }: { readonly one: MetricInteraction }) => {
  const { metric, treatment, control, otherTreatment, otherControl, absolute, anytime, adjustedP } = one;
  return (
    <tr data-interaction={metric}>
      <th scope="row">{metric}</th>
      <td>
        {treatment} over {control}, {otherTreatment} instead of {otherControl}: <span data-number="interaction">{said(absolute)}</span>
      </td>
      <td className="number">{boundsOf(absolute, anytime)}</td>
      <td className="number">{probability(adjustedP)}</td>
    </tr>
  );
};

const said = (effect: Effect): string => {
  if (!('refused' in effect)) return signed(effect.estimate);
  const { refused, have, needed } = effect;
  return have === undefined
    ? refused.toLowerCase().replaceAll('_', ' ')
    : `too few units in a group: ${count(have)} of ${count(needed ?? 0)}`;
};

const boundsOf = (absolute: Effect, anytime: MetricInteraction['anytime']): string => {
  const bounds = anytime ?? ('refused' in absolute ? absolute : absolute.ci);
  return 'refused' in bounds ? NOTHING : interval(bounds.lower, bounds.upper);
};

const Part = ({ part, title, uses, plan, adjustedBy }: ShownAs & { readonly part: DimensionValue; readonly title: string }) => {
  const { units, srm, metrics } = part;
  const failed = srm.anytime?.failed ?? ('failed' in srm.test && srm.test.failed);
  return (
    <section aria-label={title} data-part={part.value ?? ''}>
      <h3>
        {title} <span className="faint small">{count(units)} units</span>
      </h3>
      {failed && <p className="warn-text">! Shares differ from the design here.</p>}
      <ForestPlot results={{ metrics, plan }} uses={uses} adjustedBy={adjustedBy} />
    </section>
  );
};
