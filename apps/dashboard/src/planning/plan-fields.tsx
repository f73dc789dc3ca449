/** What a plan is asked by: a field for each thing, with what is wrong about it below. */
import type { ReactNode } from 'react';
import type { ExperimentDocument, MetricDocument } from '../access/documents.js';
import { isShareOfUnits } from '../reading/share-metrics.js';
import { isMethod, LABELS, METHODS, type Method, type PlanField, type PlanForm } from './plan-form.js';

interface Props {
  readonly form: PlanForm;
  readonly change: (changed: Partial<PlanForm>) => void;
  readonly wrong: Readonly<Partial<Record<PlanField, string>>>;
  readonly metrics: readonly MetricDocument[];
  /** Those that have begun here, newest first. */
  readonly begun: readonly ExperimentDocument[];
}

const ABOUT: Readonly<Record<Method, string>> = {
  sequential: 'May be looked at as often as you like.',
  'group-sequential': 'A few looks at planned shares of its units.',
  msprt: 'May be looked at as often as you like; tightest where true effects are as large as τ.',
  bayesian: 'Decides by chance to win and expected loss; bounds no error rate.',
  'fixed-horizon': 'One look at the end, and none before.',
};

/** Those of `begun` that have the metric. */
export const havingMetric = (begun: readonly ExperimentDocument[], metric: string): readonly ExperimentDocument[] =>
  begun.filter(({ definition }) => definition.metrics.some((use) => use.metric === metric));

export const PlanFields = (props: Props) => {
  const { form, change, metrics, begun } = props;
  const { method } = form;
  const isFrom = form.from !== '';
  const known = havingMetric(begun, form.metric).map(({ key }) => key);
  const toMetric = (metric: string) => {
    const [newest] = havingMetric(begun, metric);
    const type = metrics.find(({ key }) => key === metric)?.definition.type ?? '';
    change({ metric, from: newest?.key ?? '', kind: metric === '' || isShareOfUnits(type) ? 'rate' : 'mean' });
  };
  const text = (field: PlanField, hint = '') => <TextField {...props} field={field} hint={hint} />;
  return (
    <form className="plan-form" onSubmit={(event) => event.preventDefault()} aria-label="What is planned">
      <fieldset>
        <legend>What control is like</legend>
        <Choice {...props} field="metric" choose={toMetric} keys={metrics.map(({ key }) => key)} none="none of these" />
        {form.metric !== '' && (
          <Choice
            {...props}
            field="from"
            keys={known}
            none="my own numbers"
            hint={known.length === 0 ? 'No experiment here has had this metric: say what you expect.' : 'Its control, as it is now.'}
          />
        )}
        {!isFrom && (
          <Field {...props} field="kind">
            {(id) => (
              <select id={id} value={form.kind} onChange={({ target }) => change({ kind: target.value })}>
                <option value="rate">a share of units</option>
                <option value="mean">a mean</option>
              </select>
            )}
          </Field>
        )}
        {!isFrom && form.kind === 'rate' && text('rate', '10% or 0.1')}
        {!isFrom && form.kind !== 'rate' && text('mean')}
        {!isFrom && form.kind !== 'rate' && text('sd', 'Standard deviation of one unit.')}
        {!isFrom && text('correlation', 'With the unit’s value before (CUPED); may stay empty.')}
      </fieldset>
      <fieldset>
        <legend>What is to be found</legend>
        {text('effect', '5% of control’s mean, or 0.4 in the metric’s unit.')}
        {text('power', 'The chance to find it.')}
        {text('treatments', 'They share α.')}
        {text('perDay', 'Of all arms; days are told with it.')}
      </fieldset>
      <fieldset>
        <legend>How it is decided</legend>
        <Field {...props} field="method" hint={isMethod(method) ? ABOUT[method] : ''}>
          {(id, described) => (
            <select id={id} {...described} value={method} onChange={({ target }) => change({ method: target.value })}>
              {METHODS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        {method === 'group-sequential' && text('looks', 'Evenly apart; 5 where nothing is said.')}
        {method === 'msprt' && text('tau', 'In the metric’s unit.')}
        {method === 'bayesian' && text('priorSd', '2%: two of three effects are within ± 2 % of control’s mean.')}
        {method !== 'bayesian' && (
          <Field {...props} field="sides" hint="Decisions are one-sided.">
            {(id, described) => (
              <select id={id} {...described} value={form.sides} onChange={({ target }) => change({ sides: target.value })}>
                <option>two-sided</option>
                <option>one-sided</option>
              </select>
            )}
          </Field>
        )}
        {text('alpha', 'Over all success metrics and treatments.')}
        {text('successMetrics', 'They share α.')}
        {text('units', 'May stay empty: what would be found with so many?')}
      </fieldset>
    </form>
  );
};

type Described = { readonly 'aria-describedby'?: string; readonly 'aria-invalid'?: true };
type FieldProps = Pick<Props, 'wrong'> & { readonly field: PlanField; readonly hint?: string };

const Field = ({
  field,
  wrong,
  hint = '',
  children,
}: FieldProps & { readonly children: (id: string, described: Described) => ReactNode }) => {
  const id = `plan-${field}`;
  const problem = wrong[field];
  const described: Described = {
    ...(hint === '' && problem === undefined ? {} : { 'aria-describedby': `${id}-about` }),
    ...(problem === undefined ? {} : { 'aria-invalid': true }),
  };
  return (
    <div className="field" data-field={field}>
      <label htmlFor={id}>{LABELS[field]}</label>
      {children(id, described)}
      <span id={`${id}-about`} className={problem === undefined ? 'faint small' : 'bad-text small'}>
        {problem === undefined ? hint : `! ${problem}`}
      </span>
    </div>
  );
};

const TextField = ({ form, change, ...about }: FieldProps & Pick<Props, 'form' | 'change'>) => (
  <Field {...about}>
    {(id, described) => (
      <input
        {...{ id, ...described }}
        inputMode="decimal"
        autoComplete="off"
        spellCheck={false}
        value={form[about.field]}
        onChange={({ target }) => change({ [about.field]: target.value })}
      />
    )}
  </Field>
);

interface ChoiceProps extends FieldProps, Pick<Props, 'form' | 'change'> {
  readonly keys: readonly string[];
  readonly none: string;
  readonly choose?: (key: string) => void;
}

/** A key that the list lacks, such as one of a shared link, is shown and can be left. */
const Choice = ({ form, change, keys, none, choose, ...about }: ChoiceProps) => {
  const value = form[about.field];
  return (
    <Field {...about}>
      {(id, described) => (
        <select
          {...{ id, ...described, value }}
          onChange={({ target }) => (choose === undefined ? change({ [about.field]: target.value }) : choose(target.value))}
        >
          <option value="">{none}</option>
          {(value === '' || keys.includes(value) ? keys : [value, ...keys]).map((key) => (
            <option key={key}>{key}</option>
          ))}
        </select>
      )}
    </Field>
  );
};
