/** Keeps what is shown up to date: notices of the platform's stream, and questions every two seconds where the stream can't be had. */
import type { StreamNotice } from '@rampart/contracts';
import type { QueryClient } from '@tanstack/react-query';
import { createParser } from 'eventsource-parser';
import { queryText } from './api.js';
import type { Session } from './session.js';

export type Liveness =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'polling' }
  | { readonly kind: 'reconnecting'; readonly sinceMs: number };

export const POLL_MS = 2_000;
/** The platform pings each 15 s: what is silent for longer has broken somewhere on the way. */
const SILENCE_MS = 40_000;
const LONGEST_PAUSE_MS = 15_000;
/** Many looks within a moment ask once. */
const GATHER_MS = 250;

/** Statuses after which the stream is not asked for again soon: it does not exist here, or not for this key. */
const NO_STREAM = new Set([400, 401, 403, 404, 405, 501]);

/** Follows the stream until `stop`; tells how it stands. */
export const followStream = (
  session: Session,
  told: (notice: StreamNotice) => void,
  stands: (liveness: Liveness) => void,
): (() => void) => {
  const stop = new AbortController();
  void follow(session, told, stands, stop.signal);
  return () => stop.abort();
};

const follow = async (
  session: Session,
  told: (notice: StreamNotice) => void,
  stands: (liveness: Liveness) => void,
  stop: AbortSignal,
): Promise<void> => {
  let failures = 0;
  while (!stop.aborted) {
    try {
      const status = await readStream(
        session,
        told,
        () => {
          failures = 0;
          stands({ kind: 'live' });
        },
        stop,
      );
      if (NO_STREAM.has(status)) {
        stands({ kind: 'polling' });
        await pause(60_000, stop);
        continue;
      }
    } catch {
      // What broke it is of no use to anybody; that it is broken is shown.
    }
    if (stop.aborted) return;
    failures += 1;
    // A network that lets no stream through looks like this for ever: then questions are enough.
    stands(failures > 3 && (await isAnswering()) ? { kind: 'polling' } : { kind: 'reconnecting', sinceMs: Date.now() });
    await pause(Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures), stop);
  }
};

/** @returns the status of an answer that is no stream; throws when one ends. */
const readStream = async (
  session: Session,
  told: (notice: StreamNotice) => void,
  opened: () => void,
  stop: AbortSignal,
): Promise<number> => {
  const { key, project } = session;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await fetch(`/v1/stream${queryText({ project })}`, {
      headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
      signal: AbortSignal.any([stop, silence.signal]),
    });
    if (!response.ok || response.body === null) return response.status;
    opened();
    const parser = createParser({
      onEvent: ({ data }) => {
        const notice = noticeOf(data);
        if (notice !== undefined) told(notice);
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the stream has ended');
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.feed(value);
    }
  } finally {
    clearTimeout(timer);
  }
};

const noticeOf = (data: string): StreamNotice | undefined => {
  try {
    return JSON.parse(data) as StreamNotice;
  } catch {
    return undefined;
  }
};

const isAnswering = (): Promise<boolean> =>
  fetch('/livez', { signal: AbortSignal.timeout(3_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

const pause = (ms: number, stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });

/** Asks again for what a notice is about. Everything begins with its kind: ['rollout', key], ['experiment', key, …]. */
export const refresher = (client: QueryClient): ((notice: StreamNotice) => void) => {
  let waiting: ReadonlySet<string> = new Set();
  const flush = () => {
    const kinds = waiting;
    waiting = new Set();
    void client.invalidateQueries({ predicate: ({ queryKey: [kind] }) => kinds.has(String(kind)) });
  };
  return (notice) => {
    if (waiting.size === 0) setTimeout(flush, GATHER_MS);
    waiting = new Set([...waiting, ...kindsOf(notice)]);
  };
};

const kindsOf = (notice: StreamNotice): readonly string[] => {
  if (notice.kind === 'look') return ['rollout', 'experiment', 'results', 'timeseries'];
  if (notice.kind === 'record') return ['rollout', 'experiment', 'record', 'timeseries'];
  return ['rollout', 'experiment', 'feature', 'environment', 'results'];
};
