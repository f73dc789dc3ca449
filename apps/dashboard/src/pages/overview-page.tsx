/** Everything that goes on in an environment, what needs somebody first. */
import type { RolloutDocument } from '@rampart/contracts';
import { useConnection } from '../access/connection.js';
import type { ExperimentDocument, RunDocument } from '../access/documents.js';
import { useExperiments, useRollouts } from '../access/queries.js';
import { linkTo } from '../access/routing.js';
import { ExperimentBadge, RolloutBadge, VerdictSentence } from '../parts/badges.js';
import { Finder } from '../parts/finder.js';
import { Moment } from '../parts/moments.js';
import { Shown } from '../parts/notes.js';
import { StageDots } from '../parts/stage-dots.js';
import { unsaid, Waits } from '../parts/waits.js';
import { count } from '../reading/numbers.js';
import { experimentUrgency, rolloutUrgency } from '../reading/urgency.js';

export const OverviewPage = () => {
  const { environment, project } = useConnection().api.session;
  const rollouts = useRollouts();
  const experiments = useExperiments();
  return (
    <main id="main" tabIndex={-1}>
      <h1>
        {project} <span className="faint">in {environment}</span>
      </h1>
      <section aria-labelledby="rollouts">
        <h2 id="rollouts">Rollouts</h2>
        <Shown reading={rollouts} lines={6}>
          {({ items }) => {
            const here = items
              .filter((one) => one.environment === environment)
              .toSorted((one, other) => rolloutUrgency(one) - rolloutUrgency(other));
            return here.length === 0 ? (
              <NoRollouts />
            ) : (
              <Finder items={here} noun="rollouts" textOf={({ key, name, status }) => `${key} ${name} ${status}`}>
                {(shown) => (
                  <ul className="cards">
                    {shown.map((one) => (
                      <RolloutCard key={one.key} rollout={one} />
                    ))}
                  </ul>
                )}
              </Finder>
            );
          }}
        </Shown>
      </section>
      <section aria-labelledby="experiments">
        <h2 id="experiments">Experiments</h2>
        <Shown reading={experiments} lines={6}>
          {({ items }) => <Experiments items={items} environment={environment} />}
        </Shown>
      </section>
    </main>
  );
};

const RolloutCard = ({ rollout }: { readonly rollout: RolloutDocument }) => {
  const { key, name, look, waits, status, end, mode } = rollout;
  const isOver = status === 'released' || status === 'rolled-back';
  return (
    <li className="card" data-rollout={key}>
      <div className="card-head">
        <h3>
          <a href={linkTo.rollout(key)}>{name}</a>
        </h3>
        <RolloutBadge status={status} />
        {mode === 'shadow' && <span className="badge quiet">shadow: says, does not act</span>}
      </div>
      <StageDots rollout={rollout} />
      {status !== 'draft' && (
        <p className="sentence">
          <VerdictSentence verdict={look?.verdict} sentence={sentenceOf(rollout)} />
        </p>
      )}
      {!isOver && <Waits waits={unsaid(waits, [sentenceOf(rollout)])} />}
      <p className="faint small">
        {look === null ? (
          'No look yet'
        ) : (
          <>
            Known until <Moment at={look.knownUntil} />, {count(look.units)} units
          </>
        )}
        {end !== null && (
          <>
            {' '}
            · ended <Moment at={end.at} />
          </>
        )}
      </p>
    </li>
  );
};

/** The most important one: how it ended, why it is held, or what was seen last. */
const sentenceOf = ({ end, hold, look }: RolloutDocument): string => end?.reason ?? hold?.sentence ?? look?.sentence ?? '';

const Experiments = ({ items, environment }: { readonly items: readonly ExperimentDocument[]; readonly environment: string }) => {
  const here = items
    .flatMap((document) => {
      const run = document.environments[environment];
      return run === undefined ? [] : [{ document, run }];
    })
    .toSorted((one, other) => experimentUrgency(one.run) - experimentUrgency(other.run));
  const drafts = items.filter(({ environments }) => environments[environment] === undefined);
  if (items.length === 0) return <NoExperiments />;
  return (
    <>
      <Finder
        items={here}
        noun="experiments"
        textOf={({ document: { key, definition }, run }) => `${key} ${definition.name} ${run.status} ${run.look?.verdict ?? ''}`}
      >
        {(shown) => (
          <ul className="cards">
            {shown.map(({ document, run }) => (
              <ExperimentCard key={document.key} document={document} run={run} />
            ))}
          </ul>
        )}
      </Finder>
      {drafts.length > 0 && (
        <p className="faint">
          Not started in {environment}:{' '}
          {drafts.map(({ key, definition }, nth) => (
            <span key={key}>
              {nth > 0 && ', '}
              <a href={linkTo.experiment(key)}>{definition.name}</a>
            </span>
          ))}
        </p>
      )}
    </>
  );
};

const ExperimentCard = ({ document: { key, definition }, run }: { readonly document: ExperimentDocument; readonly run: RunDocument }) => {
  const look = run.look ?? null;
  return (
    <li className="card" data-experiment={key}>
      <div className="card-head">
        <h3>
          <a href={linkTo.experiment(key)}>{definition.name}</a>
        </h3>
        <ExperimentBadge status={run.status} />
        {run.ramp !== undefined && (
          <span className="faint small">
            moved by <a href={linkTo.rollout(run.ramp.rollout)}>its rollout</a>
          </span>
        )}
      </div>
      {run.status !== 'draft' && (
        <p className="sentence">
          <VerdictSentence verdict={look?.verdict} sentence={look?.sentence} />
        </p>
      )}
      {run.decision !== undefined && (
        <p className="sentence">
          Decided: {run.decision.outcome}
          {run.decision.arm === null ? '' : ` ${run.decision.arm}`}.{run.decision.reason !== look?.sentence && ` ${run.decision.reason}`}
        </p>
      )}
      <p className="faint small">
        {look === null ? (
          'No look yet'
        ) : (
          <>
            Known until <Moment at={look.knownUntil} />, {count(look.units)} units
          </>
        )}
      </p>
    </li>
  );
};

const NoRollouts = () => (
  <div className="note">
    <p>
      <strong>No rollout in this environment yet.</strong> A rollout shows a change to more and more units for as long as nothing speaks
      against it.
    </p>
    <p>
      See three of them move now: <code>npm run demo</code> opens a shop with simulated visitors in the project “demo”; choose it above. To
      make your own: <code>docs/rollouts.md</code>, or <a href="/docs/experiments/docs">the API</a>.
    </p>
  </div>
);

const NoExperiments = () => (
  <div className="note">
    <p>
      <strong>No experiment in this project yet.</strong>
    </p>
    <p>
      From a file to a verdict: <code>npm run import -- --plan plans/checkout_button/plan.json --data plans/checkout_button/data.csv</code>.
      A live one: <code>docs/live-experiments.md</code>, or <a href="/docs/experiments/docs">the API</a>.
    </p>
  </div>
);
