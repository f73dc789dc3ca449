/** The door: a key and a project, or the one-time code of a printed link. */
import { type FormEvent, useEffect, useState } from 'react';
import { Api, exchangeCode } from '../access/api.js';
import type { EnvironmentDocument, Items, ProjectDocument } from '../access/documents.js';
import type { Session } from '../access/session.js';
import { ProblemNote, Skeleton } from '../parts/notes.js';

interface Props {
  readonly code: string | undefined;
  readonly signedIn: (session: Session) => void;
}

export const SignInPage = ({ code, signedIn }: Props) => {
  const [problem, setProblem] = useState<Error>();
  const [isBusy, setBusy] = useState(code !== undefined);
  const enter = (key: Promise<string>, project: string) => {
    setBusy(true);
    setProblem(undefined);
    key
      .then((found) => sessionFor(found, project))
      .then(signedIn)
      .catch((error: Error) => {
        setProblem(error);
        setBusy(false);
      });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: a code is good for one use, whoever else changes
  useEffect(() => {
    if (code !== undefined) enter(codeOnce(code), '');
  }, [code]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    enter(Promise.resolve(String(form.get('key')).trim()), String(form.get('project')).trim());
  };
  return (
    <main id="main" className="narrow" tabIndex={-1}>
      <h1>Sign in</h1>
      {problem !== undefined && <ProblemNote error={problem} />}
      {isBusy ? (
        <Skeleton />
      ) : (
        <form onSubmit={submit} className="stack">
          <label>
            API key
            <input name="key" type="password" required autoComplete="off" spellCheck={false} aria-describedby="about-key" />
          </label>
          <p id="about-key" className="faint small">
            Of role analyst to read, manager to act. It stays in this tab and ends with it. On the machine of the platform{' '}
            <code>npm run rampart -- open</code> prints a link that needs no key.
          </p>
          <label>
            Project <span className="faint">(admin keys: any; others: their own)</span>
            <input name="project" autoComplete="off" spellCheck={false} placeholder="the first one" />
          </label>
          <button type="submit" className="primary">
            Sign in
          </button>
        </form>
      )}
    </main>
  );
};

/** React may run an effect twice; a code works once. */
const asked = new Map<string, Promise<string>>();
const codeOnce = (code: string): Promise<string> => {
  const found = asked.get(code) ?? exchangeCode(code);
  asked.set(code, found);
  return found;
};

/** Finds out what the key may see: that also proves it. */
const sessionFor = async (key: string, wanted: string): Promise<Session> => {
  const { items: projects } = await new Api({ key, project: wanted, environment: '' }).get<Items<ProjectDocument>>(
    '/v1/projects',
    wanted === '' ? { query: { project: undefined } } : {},
  );
  const project = wanted === '' ? ((projects.find(({ key: one }) => one === 'demo') ?? projects[0])?.key ?? 'default') : wanted;
  return { key, project, environment: await firstEnvironment(key, project) };
};

export const firstEnvironment = async (key: string, project: string): Promise<string> => {
  const { items } = await new Api({ key, project, environment: '' }).get<Items<EnvironmentDocument>>('/v1/environments');
  return (items.find((one) => one.key === 'production') ?? items.find(({ kind }) => kind === 'live') ?? items[0])?.key ?? 'production';
};
