/** One rollout: where it is, what the evidence says, what people can do, and everything that happened. */
import type { RolloutDocument, RolloutHistoryEntry } from '@rampart/contracts';
import { useExperiment, useFreshness, useResults, useRollout, useRolloutHistory, useTimeseries } from '../access/queries.js';
import { linkTo } from '../access/routing.js';
import { ForestPlot } from '../charts/forest-plot.js';
import { RolloutBadge, VerdictSentence } from '../parts/badges.js';
import { CourseCharts } from '../parts/course-charts.js';
import { RecordTools } from '../parts/decisions.js';
import { FreshnessList, PopulationTable, SampleRatio } from '../parts/evidence.js';
import { Instant, Moment } from '../parts/moments.js';
import { Shown } from '../parts/notes.js';
import { RolloutControls } from '../parts/rollout-controls.js';
import { StageLadder } from '../parts/stage-ladder.js';
import { unsaid, Waits } from '../parts/waits.js';
import { count } from '../reading/numbers.js';

export const RolloutPage = ({ rolloutKey }: { readonly rolloutKey: string }) => {
  const reading = useRollout(rolloutKey);
  return (
    <main id="main" tabIndex={-1}>
      <p className="crumbs">
        <a href={linkTo.overview}>Overview</a> › rollout
      </p>
      {reading.data === undefined && <h1>{rolloutKey}</h1>}
      <Shown reading={reading} lines={8}>
        {(rollout) => <Rollout rollout={rollout} />}
      </Shown>
    </main>
  );
};

const Rollout = ({ rollout }: { readonly rollout: RolloutDocument }) => {
  const { key, name, status, experiment, environment, mode } = rollout;
  const isBegun = status !== 'draft';
  const document = useExperiment(experiment).data;
  const history = useRolloutHistory(key);
  return (
    <>
      <div className="head">
        <h1>{name}</h1>
        <RolloutBadge status={status} />
        {mode === 'shadow' && <span className="badge quiet">shadow: says, does not act</span>}
      </div>
      <p className="faint">
        {environment} · experiment <a href={linkTo.experiment(experiment)}>{document?.definition.name ?? experiment}</a>
        {document?.definition.hypothesis ? `: ${document.definition.hypothesis}` : ''}
      </p>
      <RolloutControls rollout={rollout} feature={document?.definition.feature} />
      <Verdict rollout={rollout} />
      <h2>Stages</h2>
      <StageLadder rollout={rollout} />
      {isBegun && <Evidence experiment={experiment} history={history.data?.items ?? []} />}
      <section aria-labelledby="history">
        <h2 id="history">History</h2>
        <Shown reading={history}>{({ items }) => <History items={items} />}</Shown>
      </section>
    </>
  );
};

const Verdict = ({ rollout: { look, hold, end, waits, status } }: { readonly rollout: RolloutDocument }) => {
  const seen = look?.sentence ?? 'Nobody has looked at this stage yet.';
  const record = end?.record ?? look?.record ?? null;
  return (
    <section className="verdict" aria-label="Verdict">
      {end !== null && (
        <p className="big">
          {end.reason !== seen && `${end.reason} `}
          {end.reason === seen && (
            <>
              <VerdictSentence verdict={look?.verdict} sentence={seen} />{' '}
            </>
          )}
          <span className="faint small">
            by {end.actor}, <Moment at={end.at} />
          </span>
        </p>
      )}
      {hold !== null && (
        <p className="big warn-text">
          Held ({hold.cause}) <Moment at={hold.since} />: {hold.sentence}
        </p>
      )}
      {status !== 'draft' && end?.reason !== seen && (
        <p className={end === null && hold === null ? 'big' : ''} data-verdict={look?.verdict ?? 'none'}>
          <VerdictSentence verdict={look?.verdict} sentence={seen} />
        </p>
      )}
      {look !== null && (
        <p className="faint small">
          {count(look.units)} units, known until <Moment at={look.knownUntil} />
        </p>
      )}
      {end === null && <Waits waits={unsaid(waits, [hold?.sentence ?? '', look?.sentence ?? ''])} />}
      {record !== null && <RecordTools id={record} />}
    </section>
  );
};

const Evidence = ({ experiment, history }: { readonly experiment: string; readonly history: readonly RolloutHistoryEntry[] }) => {
  const document = useExperiment(experiment);
  const results = useResults(experiment);
  const timeseries = useTimeseries(experiment);
  const freshness = useFreshness(experiment);
  const stages = history
    .filter(({ type }) => type === 'RolloutStarted' || type === 'RolloutAdvanced')
    .map(({ at, sentence }, index) => ({ atMs: Date.parse(at), name: /"([^"]+)"/.exec(sentence)?.[1] ?? `stage ${index + 1}` }));
  return (
    <>
      <section aria-labelledby="effects">
        <h2 id="effects">Effects now</h2>
        <Shown reading={results}>{(answer) => <ForestPlot results={answer} uses={document.data?.definition.metrics ?? []} />}</Shown>
      </section>
      <section aria-labelledby="course">
        <h2 id="course">Course</h2>
        <Shown reading={timeseries} lines={6}>
          {(answer) =>
            document.data === undefined ? null : (
              <CourseCharts definition={document.data.definition} results={results.data} timeseries={answer} stages={stages} />
            )
          }
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
    </>
  );
};

const History = ({ items }: { readonly items: readonly RolloutHistoryEntry[] }) => (
  <ol className="history">
    {items.toReversed().map(({ revision, at, actor, sentence, record }) => (
      <li key={revision}>
        <p>
          <Instant at={at} /> <span className="faint small">{actor}</span>
        </p>
        <p>{sentence}</p>
        {record !== null && <RecordTools id={record} />}
      </li>
    ))}
  </ol>
);
