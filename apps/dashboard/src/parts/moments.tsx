/** Times that stay true while one looks at them. Relative in sight; absolute, in the reader's zone, on hover and focus, and to machines. */
import { useSyncExternalStore } from 'react';
import { absolute, relative, timeOfDay } from '../reading/durations.js';

let nowMs = Date.now();
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** One clock for all: everything on the page says the same second. */
const onTick = (listener: () => void) => {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    nowMs = Date.now();
    for (const tell of listeners) tell();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
};

export const useNow = (): number => useSyncExternalStore(onTick, () => nowMs);

export const Moment = ({ at }: { readonly at: string | number | null }) => {
  const now = useNow();
  const ms = at === null ? Number.NaN : typeof at === 'number' ? at : Date.parse(at);
  if (!Number.isFinite(ms)) return <span>never</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={absolute(ms)}>
      {relative(ms, now)}
    </time>
  );
};

/** For lists: the hour of today, the day of what is older. */
export const Instant = ({ at }: { readonly at: string }) => {
  const now = useNow();
  const ms = Date.parse(at);
  if (!Number.isFinite(ms)) return <span>{at}</span>;
  return (
    <time dateTime={at} title={absolute(ms)}>
      {now - ms < 43_200_000 ? timeOfDay(ms) : absolute(ms)}
    </time>
  );
};
