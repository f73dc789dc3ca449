/** The signed-in reader's connection: their key, the calls made with it, and whether what they see moves by itself. */
import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { Api, Problem } from './api.js';
import { followStream, type Liveness, refresher } from './live.js';
import type { Session } from './session.js';

interface Connection {
  readonly api: Api;
  readonly liveness: Liveness;
}

const ConnectionContext = createContext<Connection | undefined>(undefined);

export const useConnection = (): Connection => {
  const connection = useContext(ConnectionContext);
  if (connection === undefined) throw new RangeError('a part of the page that reads must stand within ConnectionProvider');
  return connection;
};

/** What is refused stays refused; what was not reachable is asked again. */
const isWorthRepeating = (failures: number, error: Error): boolean =>
  failures < 4 && (!(error instanceof Problem) || error.status === 0 || error.status >= 500);

export const newQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: { retry: isWorthRepeating, retryDelay: (nth) => Math.min(5_000, 400 * 2 ** nth), staleTime: 1_000, networkMode: 'always' },
    },
  });

export const ConnectionProvider = ({ session, children }: { readonly session: Session; readonly children: ReactNode }) => {
  const [client] = useState(newQueryClient);
  return (
    <QueryClientProvider client={client}>
      <Follow session={session}>{children}</Follow>
    </QueryClientProvider>
  );
};

const Follow = ({ session, children }: { readonly session: Session; readonly children: ReactNode }) => {
  const client = useQueryClient();
  const [liveness, stands] = useState<Liveness>({ kind: 'connecting' });
  useEffect(() => {
    const told = refresher(client);
    return followStream(session, told, (now) => {
      stands((before) => (before.kind === 'reconnecting' && now.kind === 'reconnecting' ? before : now));
      // Notices that came while nobody listened are lost.
      if (now.kind === 'live') void client.invalidateQueries();
    });
  }, [session, client]);
  const connection = useMemo(() => ({ api: new Api(session), liveness }), [session, liveness]);
  return <ConnectionContext value={connection}>{children}</ConnectionContext>;
};
