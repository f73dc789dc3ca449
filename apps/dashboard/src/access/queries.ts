/** Everything that the page reads, by name. Where the stream is missing it is asked for every two seconds. */
import type {
  DecisionRecord,
  DecisionSummary,
  Freshness,
  Results,
  RolloutDocument,
  RolloutHistoryEntry,
  Timeseries,
} from '@rampart/contracts';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { type Query } from './api.js';
import { useConnection } from './connection.js';
import type { EnvironmentDocument, ExperimentDocument, FeatureDocument, Items, MetricDocument, ProjectDocument } from './documents.js';
import { POLL_MS } from './live.js';

export type Reading<Answer> = UseQueryResult<Answer, Error>;

interface Pace {
  /** Also asked for without a notice, this often. */
  readonly everyMs?: number;
  readonly isWanted?: boolean;
}

const useReading = <Answer>(
  name: readonly string[],
  path: string,
  query: Query = {},
  { everyMs, isWanted = true }: Pace = {},
): Reading<Answer> => {
  const { api, liveness } = useConnection();
  const { project, environment } = api.session;
  const isLive = liveness.kind === 'live';
  return useQuery<Answer, Error>({
    queryKey: [...name, project, environment, query],
    queryFn: ({ signal }) => api.get<Answer>(path, { query, signal }),
    enabled: isWanted,
    refetchInterval: isLive ? (everyMs ?? 15_000) : Math.max(POLL_MS, everyMs ?? 0),
    placeholderData: (before) => before,
  });
};

const at = (key: string) => encodeURIComponent(key);

export const useProjects = () => useReading<Items<ProjectDocument>>(['project'], '/v1/projects', {}, { everyMs: 30_000 });
export const useEnvironments = () => useReading<Items<EnvironmentDocument>>(['environment'], '/v1/environments', {}, { everyMs: 30_000 });

export const useRollouts = () => {
  const { environment } = useConnection().api.session;
  return useReading<Items<RolloutDocument>>(['rollout'], '/v1/rollouts', { environment });
};
export const useRollout = (key: string) => useReading<RolloutDocument>(['rollout', key], `/v1/rollouts/${at(key)}`);
export const useRolloutHistory = (key: string) =>
  useReading<Items<RolloutHistoryEntry>>(['rollout', key, 'history'], `/v1/rollouts/${at(key)}/history`);

export const useExperiments = () => useReading<Items<ExperimentDocument>>(['experiment'], '/v1/experiments');
export const useExperiment = (key: string) => useReading<ExperimentDocument>(['experiment', key], `/v1/experiments/${at(key)}`);

export const useMetrics = () => useReading<Items<MetricDocument>>(['metric'], '/v1/metrics', {}, { everyMs: 60_000 });

export const useResults = (key: string, isWanted = true) => {
  const { environment } = useConnection().api.session;
  return useReading<Results>(['results', key], `/v1/experiments/${at(key)}/results`, { environment }, { isWanted, everyMs: 5_000 });
};
export type BrokenDownBy = { readonly dimension: string } | { readonly interaction: string };

/** Counted anew each time, and looked at for a while: less often than the results themselves. */
export const useBreakdown = (key: string, by: BrokenDownBy) => {
  const { environment } = useConnection().api.session;
  return useReading<Results>(['breakdown', key], `/v1/experiments/${at(key)}/results`, { environment, ...by }, { everyMs: 30_000 });
};
export const useTimeseries = (key: string, isWanted = true) => {
  const { environment } = useConnection().api.session;
  return useReading<Timeseries>(
    ['timeseries', key],
    `/v1/experiments/${at(key)}/timeseries`,
    { environment, points: 40 },
    { isWanted, everyMs: 10_000 },
  );
};
export const useFreshness = (key: string) => {
  const { environment } = useConnection().api.session;
  return useReading<Freshness>(['freshness', key], `/v1/experiments/${at(key)}/freshness`, { environment }, { everyMs: 3_000 });
};
export const useDecisions = (key: string) => {
  const { environment } = useConnection().api.session;
  return useReading<Items<DecisionSummary>>(['record', key], `/v1/experiments/${at(key)}/decisions`, { environment, limit: 20 });
};
export const useRecord = (id: string) => useReading<DecisionRecord>(['record', id], `/v1/decisions/${at(id)}`, {}, { everyMs: 60_000 });
export const useFeature = (key: string | undefined) =>
  useReading<FeatureDocument>(['feature', key ?? ''], `/v1/features/${at(key ?? '')}`, {}, { isWanted: key !== undefined });
