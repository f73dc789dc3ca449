/** Has the store mend what is damaged, whoever meets it first, and remembers what could not be mended. */
import { Inject, Injectable } from '@nestjs/common';
import { FeedbackStore } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';

@Injectable()
export class StoreMending {
  private told: string | undefined;
  private inHand: Promise<void> | undefined;

  constructor(
    private readonly store: FeedbackStore,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  /** Which rows may be missing. */
  get damage(): string | undefined {
    return this.told;
  }

  /** Never rejects. Who asks meanwhile waits for the one in hand. */
  mend(): Promise<void> {
    this.inHand ??= this.mended().finally(() => {
      this.inHand = undefined;
    });
    return this.inHand;
  }

  /** Nobody may close the store or exchange its tables before: a table may be detached. */
  async settled(): Promise<void> {
    await this.inHand;
  }

  private async mended(): Promise<void> {
    try {
      const [first] = await this.store.mend();
      if (first !== undefined && first !== this.told) this.lines.error({ damage: first }, 'rows of the store may be missing');
      this.told = first;
    } catch (err) {
      // One that is away has nothing to say.
      if ((err as { retriable?: unknown }).retriable !== true) this.lines.warn({ err }, 'the store could not be looked over for damage');
    }
  }
}
