/** ClickHouse's own number. */
export const CORRUPTED_DATA = 246;

/** Why the store did not do it. Never quotes the contents of rows: they are personal data. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** The same call may succeed later. A refused insert that is not retriable has a row in it that the store will never take. */
  readonly retriable: boolean;
  /** The engine's own number for the failure, where it answered. */
  readonly code: number | null;

  constructor(message: string, details: { readonly retriable: boolean; readonly code?: number | null }) {
    super(message);
    this.retriable = details.retriable;
    this.code = details.code ?? null;
  }
}

/** Of data that the store finds corrupted: what `FeedbackStore.mend` is for. */
export const isDamage = (error: unknown): boolean => error instanceof StoreError && error.code === CORRUPTED_DATA;
