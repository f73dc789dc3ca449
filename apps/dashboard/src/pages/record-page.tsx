/** One decision record: what was concluded, what it was made of, and whether it still is so. */
import type { DecisionRecord } from '@rampart/contracts';
import type { ReactNode } from 'react';
import { useRecord } from '../access/queries.js';
import { linkTo } from '../access/routing.js';
import { VerdictSentence } from '../parts/badges.js';
import { RecordTools } from '../parts/decisions.js';
import { Instant } from '../parts/moments.js';
import { Shown } from '../parts/notes.js';
import { Wide } from '../parts/wide.js';
import { count } from '../reading/numbers.js';

export const RecordPage = ({ id }: { readonly id: string }) => (
  <main id="main" tabIndex={-1}>
    <p className="crumbs">
      <a href={linkTo.overview}>Overview</a> › record
    </p>
    <h1>
      Decision record <span className="mono">{id.slice(0, 8)}</span>
    </h1>
    <Shown reading={useRecord(id)}>{(record) => <Record record={record} />}</Shown>
  </main>
);

const Record = ({ record }: { readonly record: DecisionRecord }) => {
  const {
    verdict,
    experiment,
    environment,
    stage,
    cause,
    knownUntilUs,
    previous,
    sums,
    numbers,
    engine,
    evidenceDigest,
    conclusionDigest,
  } = record;
  return (
    <>
      <section className="verdict" aria-label="Verdict">
        <p className="big">
          <VerdictSentence verdict={verdict.verdict} sentence={verdict.sentence} />
        </p>
        <RecordTools id={record.id} />
      </section>
      <dl className="facts">
        <Fact name="experiment">
          <a href={linkTo.experiment(experiment)}>{experiment}</a> in {environment}
          {stage === null ? '' : `, stage ${stage}`}
        </Fact>
        <Fact name="rule">{verdict.rule}</Fact>
        <Fact name="written because">{cause}</Fact>
        <Fact name="known until">
          <Instant at={new Date(knownUntilUs / 1000).toISOString()} />
        </Fact>
        <Fact name="engine">{engine}</Fact>
        <Fact name="before it">
          {previous === null ? (
            'nothing: the first'
          ) : (
            <a className="mono" href={linkTo.record(previous)}>
              {previous.slice(0, 8)}
            </a>
          )}
        </Fact>
        <Fact name="evidence">
          <span className="mono">{evidenceDigest}</span>
        </Fact>
        <Fact name="conclusion">
          <span className="mono">{conclusionDigest}</span>
        </Fact>
      </dl>
      <h2>What was counted</h2>
      <Wide label="Sums">
        <table>
          <thead>
            <tr>
              <th scope="col">metric</th>
              <th scope="col">arm</th>
              <th scope="col" className="number">
                units
              </th>
              <th scope="col" className="number">
                sum
              </th>
              <th scope="col" className="number">
                sum of squares
              </th>
            </tr>
          </thead>
          <tbody>
            {sums.map(({ metric, variant, arm, segment, stratum, units, sum, sumSquares, scale }) => (
              <tr key={`${metric} ${variant} ${segment} ${stratum}`}>
                <th scope="row">{metric}</th>
                <td>{arm}</td>
                <td className="number">{count(units)}</td>
                <td className="number">{sum}</td>
                <td className="number">
                  {sumSquares}
                  {scale === '1' ? '' : ` (1/${scale})`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <details>
        <summary>The numbers of the verdict ({Object.keys(numbers).length})</summary>
        <Wide label="Numbers of the verdict">
          <table>
            <tbody>
              {Object.entries(numbers).map(([name, value]) => (
                <tr key={name}>
                  <th scope="row" className="mono">
                    {name}
                  </th>
                  <td className="number">{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      </details>
    </>
  );
};

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
