/** Verdict and status as a word with a shape: colour only repeats what both say. */
import type { ExperimentStatus, RolloutStatus, VerdictKind } from '@rampart/contracts';

type Tone = 'good' | 'bad' | 'warn' | 'calm' | 'quiet';
interface Look {
  readonly shape: string;
  readonly tone: Tone;
  readonly word: string;
}

const VERDICTS: Readonly<Record<VerdictKind, Look>> = {
  go: { shape: '✓', tone: 'good', word: 'go' },
  'no-go': { shape: '✕', tone: 'bad', word: 'no-go' },
  continue: { shape: '…', tone: 'calm', word: 'continue' },
  inconclusive: { shape: '~', tone: 'warn', word: 'inconclusive' },
  invalid: { shape: '!', tone: 'bad', word: 'invalid' },
};

const ROLLOUTS: Readonly<Record<RolloutStatus, Look>> = {
  draft: { shape: '○', tone: 'quiet', word: 'draft' },
  running: { shape: '▶', tone: 'calm', word: 'running' },
  held: { shape: '❚❚', tone: 'warn', word: 'held' },
  paused: { shape: '■', tone: 'warn', word: 'paused' },
  released: { shape: '✓', tone: 'good', word: 'released' },
  'rolled-back': { shape: '↩', tone: 'bad', word: 'rolled back' },
};

const EXPERIMENTS: Readonly<Record<ExperimentStatus, Look>> = {
  draft: { shape: '○', tone: 'quiet', word: 'draft' },
  running: { shape: '▶', tone: 'calm', word: 'running' },
  paused: { shape: '■', tone: 'warn', word: 'paused' },
  'enrolment-frozen': { shape: '❚❚', tone: 'warn', word: 'enrolment frozen' },
  decided: { shape: '◆', tone: 'quiet', word: 'decided' },
  archived: { shape: '▫', tone: 'quiet', word: 'archived' },
};

export const Badge = ({ shape, tone, word }: Look) => (
  <span className={`badge ${tone}`}>
    <span aria-hidden="true">{shape}</span> {word}
  </span>
);

export const VerdictBadge = ({ verdict }: { readonly verdict: VerdictKind | null | undefined }) =>
  verdict === null || verdict === undefined ? <Badge shape="○" tone="quiet" word="no look yet" /> : <Badge {...VERDICTS[verdict]} />;

/** The badge is the sentence's first word, where it begins with the verdict. */
export const VerdictSentence = ({
  verdict,
  sentence,
}: {
  readonly verdict: VerdictKind | null | undefined;
  readonly sentence: string | null | undefined;
}) => {
  const isSaidAlready = verdict !== null && verdict !== undefined && sentence?.startsWith(`${verdict} `) === true;
  return (
    <>
      <VerdictBadge verdict={verdict} /> {isSaidAlready ? sentence.slice(verdict.length + 1) : sentence}
    </>
  );
};
export const RolloutBadge = ({ status }: { readonly status: RolloutStatus }) => <Badge {...ROLLOUTS[status]} />;
export const ExperimentBadge = ({ status }: { readonly status: ExperimentStatus }) => <Badge {...EXPERIMENTS[status]} />;
