/** Where other systems are told of phase changes. */

export interface WebhookDefinition {
  readonly key: string;
  readonly url: string;
  /** Absent: everywhere. */
  readonly environment?: string | undefined;
  /** Absent: all of them. */
  readonly kinds?: readonly ('rollout' | 'experiment' | 'feature')[] | undefined;
}

export type WebhookEvent =
  /** `sealedSecret`: what messages are signed with, readable with the platform's secret only. */
  | { readonly type: 'WebhookDefined'; readonly definition: WebhookDefinition; readonly sealedSecret: string; readonly atUs: number }
  | { readonly type: 'WebhookRotated'; readonly sealedSecret: string; readonly atUs: number }
  | { readonly type: 'WebhookRemoved'; readonly atUs: number };

export type Webhook =
  | { readonly status: 'absent' }
  | {
      readonly status: 'active' | 'removed';
      readonly definition: WebhookDefinition;
      readonly sealedSecret: string;
      /** The one before, and when it was replaced; null: there was none. */
      readonly replaced: { readonly sealedSecret: string; readonly atUs: number } | null;
    };

/** How long messages are signed with the secret before as well: receivers change theirs in the meantime. */
const OVERLAP_US = 24 * 3_600_000_000;

/** Newest first. */
export const sealedSecretsOf = ({ sealedSecret, replaced }: Exclude<Webhook, { status: 'absent' }>, atUs: number): readonly string[] =>
  replaced !== null && atUs < replaced.atUs + OVERLAP_US ? [sealedSecret, replaced.sealedSecret] : [sealedSecret];

export const initialWebhook: Webhook = { status: 'absent' };

export const evolveWebhook = (state: Webhook, event: WebhookEvent): Webhook => {
  switch (event.type) {
    case 'WebhookDefined':
      return { status: 'active', definition: event.definition, sealedSecret: event.sealedSecret, replaced: null };
    case 'WebhookRotated':
      if (state.status === 'absent') return state;
      return { ...state, sealedSecret: event.sealedSecret, replaced: { sealedSecret: state.sealedSecret, atUs: event.atUs } };
    case 'WebhookRemoved':
      return state.status === 'absent' ? state : { ...state, status: 'removed' };
  }
};
