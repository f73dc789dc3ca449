/** One experiment in one environment: its verdict, and the numbers that it was made of. */
import type { Results } from '@rampart/contracts';
import { useConnection } from '../access/connection.js';
import type { ExperimentDocument } from '../access/documents.js';
import { useDecisions, useExperiment, useFreshness, useResults, useTimeseries } from '../access/queries.js';
import { linkTo } from '../access/routing.js';
import { ForestPlot } from '../charts/forest-plot.js';
import { ExperimentBadge, VerdictSentence } from '../parts/badges.js';
import { Breakdown } from '../parts/breakdown.js';
import { CourseCharts } from '../parts/course-charts.js';
import { DecisionList } from '../parts/decisions.js';
import { FreshnessList, PopulationTable, SampleRatio } from '../parts/evidence.js';
import { Moment } from '../parts/moments.js';
import { Shown } from '../parts/notes.js';

export const ExperimentPage = ({ experimentKey }: { readonly experimentKey: string }) => {
  const reading = useExperiment(experimentKey);
  return (
    <main id="main" tabIndex={-1}>
      <p className="crumbs">
        <a href={linkTo.overview}>Overview</a> › experiment
      </p>
      {reading.data === undefined && <h1>{experimentKey}</h1>}
      <Shown reading={reading} lines={8}>
        {(document) => <Experiment document={document} />}
      </Shown>
    </main>
  );
};

const Experiment = ({ document }: { readonly document: ExperimentDocument }) => {
  const { environment } = useConnection().api.session;
  const { key, definition, environments } = document;
  const run = environments[environment];
  const isBegun = run !== undefined && run.status !== 'draft';
  const elsewhere = Object.keys(environments).filter((one) => one !== environment);
  return (
    <>
      <div className="head">
        <h1>{definition.name}</h1>
        <ExperimentBadge status={run?.status ?? 'draft'} />
      </div>
      <p className="faint">
        {environment}
        {run?.ramp !== undefined && (
          <>
            {' '}
            · moved by <a href={linkTo.rollout(run.ramp.rollout)}>its rollout</a>, stage {run.ramp.stage}
          </>
        )}{' '}
        ·{' '}
        <a href={linkTo.plan(new URLSearchParams({ metric: definition.metrics[0]?.metric ?? '', from: key, effect: '5%' }).toString())}>
          Plan the next one
        </a>
        {definition.hypothesis ? ` · ${definition.hypothesis}` : ''}
      </p>
      {run?.decision !== undefined && (
        <p className="note">
          <strong>
            Decided: {run.decision.outcome}
            {run.decision.arm === null ? '' : ` ${run.decision.arm}`}
          </strong>
          . {run.decision.reason}
        </p>
      )}
      {isBegun ? (
        <Evidence document={document} environment={environment} />
      ) : (
        <p className="note">
          Not started in {environment}.{elsewhere.length > 0 && ` It runs in ${elsewhere.join(', ')}: choose that above.`} What a start
          would say: <code>GET /v1/experiments/{key}/checklist</code>.
        </p>
      )}
    </>
  );
};

const Evidence = ({ document, environment }: { readonly document: ExperimentDocument; readonly environment: string }) => {
  const { key, definition } = document;
  const results = useResults(key);
  const timeseries = useTimeseries(key);
  const freshness = useFreshness(key);
  const decisions = useDecisions(key);
  return (
    <>
      <Shown reading={results}>{(answer) => <Verdict results={answer} />}</Shown>
      <section aria-labelledby="effects">
        <h2 id="effects">Effects now</h2>
        <Shown reading={results}>{(answer) => <ForestPlot results={answer} uses={definition.metrics} />}</Shown>
      </section>
      <section aria-labelledby="parts">
        <h2 id="parts">Broken down</h2>
        <Breakdown document={document} environment={environment} />
      </section>
      <section aria-labelledby="course">
        <h2 id="course">Course</h2>
        <Shown reading={timeseries} lines={6}>
          {(answer) => <CourseCharts definition={definition} results={results.data} timeseries={answer} stages={[]} />}
        </Shown>
      </section>
      <div className="columns">
        <section aria-labelledby="population">
          <h2 id="population">Who is counted</h2>
          <Shown reading={results}>
            {(answer) => (
              <>
                <SampleRatio results={answer} />
                <PopulationTable results={answer} />
              </>
            )}
          </Shown>
        </section>
        <section aria-labelledby="freshness">
          <h2 id="freshness">How fresh this is</h2>
          <Shown reading={freshness}>{(answer) => <FreshnessList freshness={answer} />}</Shown>
        </section>
      </div>
      <section aria-labelledby="decisions">
        <h2 id="decisions">Decision records</h2>
        <Shown reading={decisions}>{({ items }) => <DecisionList items={items} />}</Shown>
      </section>
    </>
  );
};

const Verdict = ({ results: { verdict, watermark, warnings, status } }: { readonly results: Results }) => (
  <section className="verdict" aria-label="Verdict">
    <p className="big" data-verdict={verdict.verdict}>
      <VerdictSentence verdict={verdict.verdict} sentence={verdict.sentence} />
    </p>
    <p className="faint small">
      {status === 'complete' ? (
        'Complete: this result does not change any more.'
      ) : (
        <>
          Counted up to <Moment at={watermark} />.
        </>
      )}
    </p>
    {warnings.map((warning) => (
      <p key={warning} className="warn-text">
        {warning}
      </p>
    ))}
    <details>
      <summary>Every finding ({verdict.findings.length})</summary>
      <ul className="findings">
        {verdict.findings.map(({ kind, metric, arm, holds, sentence }) => (
          <li key={`${kind} ${metric} ${arm} ${sentence}`}>
            <span aria-hidden="true">{holds ? '✓' : '○'}</span> <span className="unseen">{holds ? 'holds: ' : 'does not hold: '}</span>
            <span className="faint">{kind}</span> {sentence}
          </li>
        ))}
      </ul>
    </details>
  </section>
);
