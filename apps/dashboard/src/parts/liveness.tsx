/** Whether what is shown moves by itself. */
import { useConnection } from '../access/connection.js';
import { span } from '../reading/durations.js';
import { useNow } from './moments.js';

export const Liveness = () => {
  const { liveness } = useConnection();
  const now = useNow();
  const said = {
    connecting: { word: 'connecting', shape: '○', tone: 'quiet', title: 'Connecting to the platform' },
    live: { word: 'live', shape: '●', tone: 'good', title: 'The platform tells of every change' },
    polling: { word: 'live, every 2 s', shape: '◐', tone: 'good', title: 'The stream cannot be had here: the page asks every two seconds' },
    reconnecting: { word: 'reconnecting', shape: '◌', tone: 'warn', title: 'The connection broke: what is shown may be old' },
  }[liveness.kind];
  return (
    <p className={`badge ${said.tone}`} title={said.title} data-liveness={liveness.kind}>
      <span aria-hidden="true">{said.shape}</span> <span role="status">{said.word}</span>
      {liveness.kind === 'reconnecting' && <span>, stale since {span((now - liveness.sinceMs) / 1000)}</span>}
    </p>
  );
};
