/** The message of a rollout's commands: the plain command before its facts are looked up. */
import { Command } from '@nestjs/cqrs';
import type { RolloutCommand } from '@rampart/domain';
import type { Envelope, Outcome } from '../command/command-door.js';

/** The actor is in the envelope, the stage is the one in force. */
export type RolloutRequest = WithoutFacts<RolloutCommand>;
type WithoutFacts<Of> = Of extends unknown ? Omit<Of, 'facts' | 'surroundings' | 'actor' | 'reason' | 'atUs' | 'meantStage'> : never;

export class RolloutMessage extends Command<Outcome> {
  constructor(
    readonly project: string,
    readonly rollout: string,
    readonly command: RolloutRequest,
    readonly envelope: Envelope,
  ) {
    super();
  }
}
