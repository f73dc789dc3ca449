/** Where other systems are told of phase changes. */

export interface WebhookDefinition {
  readonly key: string;
  readonly url: string;
  /** Absent: everywhere. */
  readonly environment?: string | undefined;
}

export type WebhookEvent =
  /** `sealedSecret`: what messages are signed with, readable with the platform's secret only. */
  | { readonly type: 'WebhookDefined'; readonly definition: WebhookDefinition; readonly sealedSecret: string; readonly atUs: number }
  | { readonly type: 'WebhookRotated'; readonly sealedSecret: string; readonly atUs: number }
  | { readonly type: 'WebhookRemoved'; readonly atUs: number };

export type Webhook =
  | { readonly status: 'absent' }
  | { readonly status: 'active' | 'removed'; readonly definition: WebhookDefinition; readonly sealedSecret: string };

export const initialWebhook: Webhook = { status: 'absent' };

export const evolveWebhook = (state: Webhook, event: WebhookEvent): Webhook => {
  switch (event.type) {
    case 'WebhookDefined':
      return { status: 'active', definition: event.definition, sealedSecret: event.sealedSecret };
    case 'WebhookRotated':
      return state.status === 'absent' ? state : { ...state, sealedSecret: event.sealedSecret };
    case 'WebhookRemoved':
      return state.status === 'absent' ? state : { ...state, status: 'removed' };
  }
};
