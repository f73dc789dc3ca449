/** Before an experiment: how many units and days it takes, by a form whose address can be shared. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Problem } from '../access/api.js';
import { useConnection } from '../access/connection.js';
import type { ExperimentDocument } from '../access/documents.js';
import { useExperiments, useMetrics, useResults } from '../access/queries.js';
import { linkTo } from '../access/routing.js';
import { ProblemNote, Shown, Skeleton } from '../parts/notes.js';
import { type Plan, PlanAnswer } from '../planning/plan-answer.js';
import { PlanFields } from '../planning/plan-fields.js';
import { fieldAt, formOf, LABELS, type PlanField, type PlanForm, type PlanQuestion, queryOf, questionOf } from '../planning/plan-form.js';
import { ReachedPower } from '../planning/reached-power.js';

/** Who types is not asked for at every letter. */
const PAUSE_MS = 350;

const formHere = (): PlanForm => formOf(location.hash.split('?')[1] ?? '');

export const PlanPage = () => {
  const [form, setForm] = useState(formHere);
  const change = (changed: Partial<PlanForm>) => setForm((before) => ({ ...before, ...changed }));
  useEffect(() => {
    const follow = () => setForm(formHere());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  // In place: each letter is no step to go back to. It tells nobody, so that the field keeps its focus.
  useEffect(() => history.replaceState(history.state, '', linkTo.plan(queryOf(form))), [form]);
  const { environment } = useConnection().api.session;
  const metrics = useMetrics();
  const experiments = useExperiments();
  const startOf = ({ environments }: ExperimentDocument): number => environments[environment]?.startedAtUs ?? 0;
  const begun = (experiments.data?.items ?? [])
    .filter(({ environments }) => isBegun(environments[environment]?.status))
    .toSorted((one, other) => startOf(other) - startOf(one));
  const asked = useSettled(form);
  const question = questionOf(asked);
  const reading = usePlan(question);
  const refused = refusalsOf(reading.error, asked);
  const wrong = 'wrong' in question ? question.wrong : refused.wrong;
  const running = begun.find(({ key }) => key === form.from);
  return (
    <main id="main" tabIndex={-1}>
      <p className="crumbs">
        <a href={linkTo.overview}>Overview</a> › plan
      </p>
      <h1>How many units does it take?</h1>
      <p className="faint">The address of this page holds what you say here: share it, or keep it.</p>
      {metrics.error !== null && <ProblemNote error={metrics.error} retry={() => void metrics.refetch()} />}
      <PlanFields {...{ form, change, wrong, begun }} metrics={metrics.data?.items ?? []} />
      <p className="unseen" role="status">
        {'wrong' in question ? '' : reading.data?.sentence}
      </p>
      <section className="verdict" aria-labelledby="takes" aria-busy={reading.isFetching}>
        <h2 id="takes" className="unseen">
          What it takes
        </h2>
        {'wrong' in question ? (
          <Unasked question={question} />
        ) : reading.data !== undefined && reading.error === null ? (
          <PlanAnswer
            plan={reading.data}
            unitsPerDay={question.body.unitsPerDay}
            power={question.body.power ?? 0.8}
            takeOver={(history) => change({ from: '', ...numbersOf(history) })}
          />
        ) : reading.error !== null && reading.error !== undefined ? (
          refused.isPlaced ? (
            <p>Something above is refused: see the fields that are marked.</p>
          ) : (
            <ProblemNote error={reading.error} retry={() => void reading.refetch()} />
          )
        ) : (
          <Skeleton lines={5} />
        )}
      </section>
      {running !== undefined && isRunning(running.environments[environment]?.status) && <MidRun experiment={running.key} />}
    </main>
  );
};

const isBegun = (status: string | undefined): boolean => status !== undefined && status !== 'draft';
const isRunning = (status: string | undefined): boolean => status === 'running' || status === 'paused' || status === 'enrolment-frozen';

const useSettled = (form: PlanForm): PlanForm => {
  const [settled, settle] = useState(form);
  useEffect(() => {
    const timer = setTimeout(() => settle(form), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [form]);
  return settled;
};

const usePlan = (question: PlanQuestion) => {
  const { api } = useConnection();
  const { environment } = api.session;
  return useQuery<Plan, Error>({
    queryKey: ['plan', question],
    queryFn: ({ signal }) =>
      'wrong' in question
        ? Promise.reject(new RangeError('a question that is not whole is not asked'))
        : api.post<Plan>(question.path, question.body, {
            signal,
            query: 'path' in question && question.path.startsWith('/v1/experiments/') ? { environment } : {},
          }),
    enabled: !('wrong' in question),
    placeholderData: (before) => before,
    staleTime: 60_000,
  });
};

const refusalsOf = (error: Error | null, form: PlanForm) => {
  const wrong: Partial<Record<PlanField, string>> = {};
  if (error instanceof Problem)
    for (const { path, message } of error.errors) {
      const field = fieldAt(path, form);
      if (field !== undefined) wrong[field] ??= message;
    }
  return { wrong, isPlaced: Object.keys(wrong).length > 0 };
};

/** In fields that can be changed: a share where its spread is that of one. */
const numbersOf = ({ mean, sd, correlation }: NonNullable<Plan['history']>): Partial<PlanForm> => {
  const isShare = mean > 0 && mean < 1 && Math.abs(sd ** 2 - mean * (1 - mean)) < 1e-3 * sd ** 2;
  const related = { correlation: correlation === null ? '' : exact(correlation) };
  return isShare ? { kind: 'rate', rate: exact(mean), ...related } : { kind: 'mean', mean: exact(mean), sd: exact(sd), ...related };
};
const exact = (value: number): string => String(Number(value.toPrecision(6)));

const Unasked = ({ question: { missing, wrong } }: { readonly question: Extract<PlanQuestion, { readonly wrong: object }> }) => (
  <>
    {missing.length > 0 && <p>Still to be said: {missing.map((field) => LABELS[field]).join(', ')}.</p>}
    {Object.keys(wrong).length > 0 && <p>Something above can’t be read: see the fields that are marked.</p>}
  </>
);

const MidRun = ({ experiment }: { readonly experiment: string }) => {
  const results = useResults(experiment);
  return (
    <section aria-labelledby="mid-run">
      <h2 id="mid-run">
        While <a href={linkTo.experiment(experiment)}>{experiment}</a> runs
      </h2>
      <Shown reading={results}>{(answer) => <ReachedPower results={answer} />}</Shown>
    </section>
  );
};
