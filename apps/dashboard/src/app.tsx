/** The page's frame: who looks at what, whether it is live, and the page that the address names. */
import { useEffect, useRef, useState } from 'react';
import { ConnectionProvider, useConnection } from './access/connection.js';
import { useEnvironments, useProjects } from './access/queries.js';
import { linkTo, type Route, useRoute } from './access/routing.js';
import { forgetSession, keepSession, readSession, type Session } from './access/session.js';
import { ExperimentPage } from './pages/experiment-page.js';
import { OverviewPage } from './pages/overview-page.js';
import { PlanPage } from './pages/plan-page.js';
import { RecordPage } from './pages/record-page.js';
import { RolloutPage } from './pages/rollout-page.js';
import { firstEnvironment, SignInPage } from './pages/sign-in-page.js';
import { Liveness } from './parts/liveness.js';

export const App = () => {
  const route = useRoute();
  const [session, setSession] = useState(readSession);
  const change = (next: Session) => {
    keepSession(next);
    setSession(next);
  };
  const signedIn = (next: Session) => {
    change(next);
    // In place: going back must not lead to a code that was used. Who followed a shared link wants what it names.
    if (route.page === 'sign-in') location.replace(linkTo.overview);
  };
  const signOut = () => {
    forgetSession();
    setSession(undefined);
    location.hash = linkTo.signIn;
  };
  if (session === undefined || route.page === 'sign-in') {
    return (
      <>
        <header className="top">
          <Mark />
        </header>
        <SignInPage code={route.page === 'sign-in' ? route.code : undefined} signedIn={signedIn} />
      </>
    );
  }
  return (
    <ConnectionProvider key={`${session.key} ${session.project} ${session.environment}`} session={session}>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <header className="top">
        <Mark />
        <Places session={session} change={change} />
        <a href={linkTo.plan()}>Plan</a>
        <Liveness />
        <button type="button" className="plain" onClick={signOut}>
          Sign out
        </button>
      </header>
      <Page route={route} />
    </ConnectionProvider>
  );
};

const Mark = () => (
  <a className="mark" href={linkTo.overview}>
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M6 24h4v-5h4v-5h4V9h4V6h4v18z" />
    </svg>
    Rampart
  </a>
);

const Places = ({ session, change }: { readonly session: Session; readonly change: (session: Session) => void }) => {
  const projects = useProjects().data?.items ?? [];
  const environments = useEnvironments().data?.items ?? [];
  const toProject = async (project: string) => {
    const environment = await firstEnvironment(session.key, project).catch(() => session.environment);
    change({ ...session, project, environment });
    location.hash = linkTo.overview;
  };
  return (
    <nav className="places" aria-label="What is shown">
      <Choice label="Project" value={session.project} keys={projects.map(({ key }) => key)} choose={(project) => void toProject(project)} />
      <Choice
        label="Environment"
        value={session.environment}
        keys={environments.map(({ key }) => key)}
        choose={(environment) => change({ ...session, environment })}
      />
    </nav>
  );
};

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly keys: readonly string[];
  readonly choose: (key: string) => void;
}

const Choice = ({ label, value, keys, choose }: ChoiceProps) => (
  <label>
    <span className="label">{label}</span>
    <select value={value} onChange={(event) => choose(event.target.value)}>
      {(keys.includes(value) ? keys : [value, ...keys]).map((key) => (
        <option key={key}>{key}</option>
      ))}
    </select>
  </label>
);

/** Who follows a link hears the new page, as after a real change of page. */
const Page = ({ route }: { readonly route: Route }) => {
  const { project } = useConnection().api.session;
  const place = 'key' in route ? route.key : 'id' in route ? route.id : route.page;
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${place === 'overview' ? project : place} · Rampart`;
    if (!isFirst.current) {
      document.getElementById('main')?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [place, project]);
  if (route.page === 'overview') return <OverviewPage />;
  if (route.page === 'rollout') return <RolloutPage key={route.key} rolloutKey={route.key} />;
  if (route.page === 'experiment') return <ExperimentPage key={route.key} experimentKey={route.key} />;
  if (route.page === 'plan') return <PlanPage />;
  if (route.page === 'record') return <RecordPage key={route.id} id={route.id} />;
  return (
    <main id="main" className="narrow" tabIndex={-1}>
      <h1>Nothing here</h1>
      <p>
        This page has no “{route.page === 'unknown' ? route.path : ''}”. <a href={linkTo.overview}>All rollouts and experiments</a>
      </p>
    </main>
  );
};
