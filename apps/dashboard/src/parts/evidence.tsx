/** What a verdict stands on: who is counted and who is not, whether the shares are as designed, how fresh each step is. */
import type { Freshness, Hop, Results } from '@rampart/contracts';
import { span } from '../reading/durations.js';
import { count, percent, probability } from '../reading/numbers.js';
import { Wide } from './wide.js';

const REASONS: Readonly<Record<string, string>> = {
  'own-choice': 'chose it themselves',
  override: 'override',
  'unknown-variant': 'unknown variant',
  'reason-unknown': 'reason unknown',
  'two-arms': 'seen in two arms',
  'not-randomised': 'not randomised',
};

export const PopulationTable = ({ results: { population } }: { readonly results: Results }) => {
  const { rows, units, counted, duplicates, lateExposures, crossedLate } = population;
  return (
    <>
      <p>
        {count(counted)} of {count(units)} units count
        {units > 0 && ` (${percent(counted / units)})`}.
      </p>
      <Wide label="Units by arm">
        <table>
          <thead>
            <tr>
              <th scope="col">arm</th>
              <th scope="col" className="number">
                exposed
              </th>
              <th scope="col" className="number">
                counted
              </th>
              <th scope="col">left out, and why</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ variant, arm, exposed, counted: counting, excluded }) => {
              const why = Object.entries(excluded).filter(([, number]) => number > 0);
              return (
                <tr key={`${variant} ${arm}`} data-population={arm}>
                  <th scope="row">{arm === variant ? arm : `${arm} (${variant})`}</th>
                  <td className="number">{count(exposed)}</td>
                  <td className="number">{count(counting)}</td>
                  <td>
                    {why.length === 0
                      ? 'nobody'
                      : why.map(([reason, number]) => `${count(number)} ${REASONS[reason] ?? reason}`).join(', ')}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Wide>
      <p className="faint small">
        {count(duplicates.duplicates)} duplicates counted once · {count(lateExposures)} late exposures · {count(crossedLate)} changed arms
        late
      </p>
    </>
  );
};

export const SampleRatio = ({ results: { srm } }: { readonly results: Results }) => {
  const { test, anytime, note } = srm;
  const failed = anytime?.failed ?? ('failed' in test && test.failed);
  const p = anytime?.p ?? ('p' in test ? test.p : null);
  return (
    <p>
      <strong>{failed ? '! Shares differ from the design' : '✓ Shares are as designed'}</strong>
      {'refused' in test && anytime === null
        ? ` (not tested: ${test.refused.toLowerCase().replaceAll('_', ' ')})`
        : `, p ${probability(p)}`}
      :{' '}
      {Object.entries(srm.observed)
        .map(([arm, number]) => `${arm} ${count(number)}`)
        .join(', ')}
      .{note !== undefined && <span className="faint"> {note}</span>}
    </p>
  );
};

const HOPS: Readonly<Record<Hop['hop'], string>> = {
  door: 'last event at the door',
  log: 'log',
  definitions: 'definitions',
  store: 'feedback store',
  look: 'newest look',
  record: 'newest record',
};

export const FreshnessList = ({ freshness: { hops } }: { readonly freshness: Freshness }) => (
  <ol className="hops">
    {hops.map(({ hop, ageMs, trouble, isElsewhere }) => (
      <li key={hop} className={trouble === null ? '' : 'trouble'}>
        <span className="label">{HOPS[hop]}</span>
        <span className="age">{ageMs === null ? (isElsewhere ? 'another process knows' : 'never') : `${span(ageMs / 1000)} old`}</span>
        {trouble !== null && <span>{trouble}</span>}
      </li>
    ))}
  </ol>
);
