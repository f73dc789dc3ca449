/** The buttons of a rollout, and the kill switch of its feature. A key that may not act sees them, and why not. */
import type { RolloutDocument, RolloutStatus } from '@rampart/contracts';
import { useQuery } from '@tanstack/react-query';
import { Problem } from '../access/api.js';
import { useConnection } from '../access/connection.js';
import { useFeature } from '../access/queries.js';
import { Confirm } from './confirm.js';
import { offersFor, type RolloutAction } from './rollout-actions.js';

interface Props {
  readonly rollout: RolloutDocument;
  readonly feature: string | undefined;
}

export const RolloutControls = ({ rollout, feature }: Props) => {
  const { api } = useConnection();
  const refusedBecause = useRefusal(rollout);
  const { environment } = rollout;
  const document = useFeature(feature).data;
  const state = document?.environments?.[environment];
  const isKilled = state?.isKilled === true || state?.killed === true;
  const path = `/v1/rollouts/${encodeURIComponent(rollout.key)}`;
  return (
    <section className="controls" aria-label="Controls">
      <div className="tools">
        {offersFor(rollout).map(({ action, label, outcome, isForThisRevision, isGrave, hasForce }) => (
          <Confirm
            key={action}
            {...{ label, outcome, isGrave, hasForce, refusedBecause }}
            revision={isForThisRevision ? rollout.revision : undefined}
            act={({ reason, force, revision }) =>
              api.post(`${path}/${action}`, { ...(reason === undefined ? {} : { reason }), ...(force ? { force } : {}) }, { revision })
            }
          />
        ))}
        {feature !== undefined && document?.environments !== undefined && (
          <Confirm
            label={isKilled ? 'Restore the feature' : 'Kill switch'}
            outcome={
              isKilled
                ? `The feature ${feature} is served again in ${environment}, as its experiment and rollout say.`
                : `Everybody in ${environment} gets the default variant of ${feature} at once, whatever experiments and rollouts say. The rollout is held.`
            }
            isGrave={!isKilled}
            mustSayWhy
            refusedBecause={refusedBecause}
            act={({ reason }) =>
              api.post(
                `/v1/features/${encodeURIComponent(feature)}/${isKilled ? 'restore' : 'kill'}`,
                { reason },
                { query: { environment } },
              )
            }
          />
        )}
      </div>
      {isKilled && (
        <p className="warn-text">
          The feature {feature} is killed in {environment}: everybody gets its default variant.
        </p>
      )}
      {refusedBecause !== null && (
        <p id="refused-because" className="faint small">
          {refusedBecause}
        </p>
      )}
    </section>
  );
};

/** What is possible at each status: asking for it finds out about the role alone. */
const PROBES: Readonly<Partial<Record<RolloutStatus, RolloutAction>>> = {
  draft: 'start',
  running: 'hold',
  held: 'resume',
  paused: 'resume',
};

/** Asks what an action would do, which stores nothing: the role is refused before all else. */
const useRefusal = ({ key, status }: RolloutDocument): string | null => {
  const { api } = useConnection();
  const probe = PROBES[status];
  const { data } = useQuery({
    queryKey: ['may-act', api.session.project],
    staleTime: Number.POSITIVE_INFINITY,
    enabled: probe !== undefined,
    queryFn: async () => {
      try {
        await api.post(`/v1/rollouts/${encodeURIComponent(key)}/${probe}`, {}, { query: { validate: 'true' } });
      } catch (error) {
        if (error instanceof Problem && error.status === 403) return error.detail;
        if (error instanceof Problem && (error.status === 0 || error.status >= 500)) throw error;
      }
      return '';
    },
  });
  return data === undefined || data === '' ? null : data;
};
