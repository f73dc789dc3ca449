/** Brings one rollout to where state and facts require it to be, and its experiment after it. Asked again, it does nothing more. */
import { createHash, randomUUID } from 'node:crypto';
import { CommandBus } from '@nestjs/cqrs';
import {
  DomainError,
  experimentInStep,
  isOpen,
  nextAction,
  ROLLOUT_PROCESS,
  type Rollout,
  type RolloutAction,
  type StepRequest,
} from '@rampart/domain';
import { nowUs } from '../clock.js';
import type { Envelope } from '../command/command-door.js';
import { ExperimentMessage } from '../command/command-messages.js';
import type { ExperimentRequest } from '../command/surroundings.js';
import type { ReadRollout, RolloutPlace, RolloutReader } from './rollout.reader.js';
import { RolloutMessage } from './rollout-message.js';

/** More than a rollout can have to do at one moment: an action, and its experiment's move. */
const MOST_STEPS = 8;

export interface TakenSteps {
  /** Nothing happens to it by itself: it is a draft, or has ended, and its experiment with it. */
  readonly isSettled: boolean;
  readonly status: Rollout['status'];
  /** Why the experiment does not follow. */
  readonly obstacle: string | null;
}

export class RolloutSteps {
  constructor(
    private readonly reader: RolloutReader,
    private readonly commands: CommandBus,
  ) {}

  async take(place: RolloutPlace): Promise<TakenSteps> {
    let obstacle: string | null = null;
    let status: Rollout['status'] = 'absent';
    for (let step = 0; step < MOST_STEPS; step++) {
      const found = await this.reader.read(place);
      const { rollout, experiment, facts } = found;
      status = rollout.status;
      const inStep = experimentInStep(rollout, experiment);
      const refusal = inStep.request === null ? inStep.obstacle : await this.move(place, found, inStep.request);
      // Moved: all is read anew.
      if (inStep.request !== null && refusal === null) continue;
      obstacle = refusal;
      const { action } = nextAction(rollout, facts);
      if (action === null) return { isSettled: !isOpen(rollout) && inStep.request === null, status, obstacle };
      await this.act(place, found, action);
    }
    return { isSettled: false, status, obstacle };
  }

  /** @returns why it was refused; null: done */
  private async move({ project }: RolloutPlace, { rollout }: ReadRollout, request: StepRequest): Promise<string | null> {
    if (rollout.status === 'absent') return null;
    const { definition } = rollout;
    const reason = `rollout "${definition.key}"`;
    const command = experimentRequest(request, { environment: definition.environment, rollout: definition.key });
    try {
      await this.commands.execute(new ExperimentMessage(project, definition.experiment, command, envelope(command.atUs, reason)));
      return null;
    } catch (error) {
      if (error instanceof DomainError) return error.message;
      throw error;
    }
  }

  /** Once for each stage, action and record, whoever else acts at this moment. */
  private async act({ project, rollout: key }: RolloutPlace, { rollout }: ReadRollout, action: RolloutAction): Promise<void> {
    if (!isOpen(rollout)) return;
    const name = [project, key, rollout.run, rollout.stage.index, rollout.stage.startedAtUs, action.kind, action.record].join('/');
    const digest = createHash('sha256').update(name).digest('hex');
    const idempotency = { scope: ROLLOUT_PROCESS, key: digest, digest };
    const command = { type: 'FollowEvidence' } as const;
    try {
      await this.commands.execute(new RolloutMessage(project, key, command, { ...envelope(nowUs(), null), idempotency }));
    } catch (error) {
      // Somebody was faster, or the facts have changed: all is read anew.
      if (!(error instanceof DomainError)) throw error;
    }
  }
}

const envelope = (atUs: number, reason: string | null): Envelope => ({
  origin: { atUs, actor: ROLLOUT_PROCESS, reason, requestId: null },
  expectedRevision: null,
  idempotency: null,
  isDryRun: false,
});

const experimentRequest = (request: StepRequest, by: { readonly environment: string; readonly rollout: string }): ExperimentRequest => {
  const { environment } = by;
  const atUs = nowUs();
  switch (request.type) {
    case 'StartExperiment':
      return { type: 'StartExperiment', environment, seed: randomUUID(), step: request.step, atUs };
    case 'MoveRamp':
      return { type: 'MoveRamp', environment, step: request.step, atUs };
    case 'PauseExperiment':
      return { type: 'PauseExperiment', ...by, atUs };
    case 'ResumeExperiment':
      return { type: 'ResumeExperiment', ...by, seed: randomUUID(), atUs };
    case 'DecideExperiment':
      return { ...request, ...by, arm: null, atUs };
  }
};
