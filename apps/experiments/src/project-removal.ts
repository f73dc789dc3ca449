/** Ends everything that moves in a project, then the project: each step a command of its own, so that a removal that was cut off goes on when it is asked again. */
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { DomainError } from '@rampart/domain';
import { Catalogue } from './catalogue/catalogue.store.js';
import type { Envelope, Outcome } from './command/command-door.js';
import { ApiKeyMessage, ExperimentMessage, ProjectMessage } from './command/command-messages.js';
import { RolloutMessage } from './rollout/rollout-message.js';

export interface Removed {
  readonly project: string;
  readonly isRemoved: boolean;
  /** Keys of what was ended, or would be. */
  readonly rollouts: readonly string[];
  /** With the environment. */
  readonly experiments: readonly string[];
  /** Ids. */
  readonly keys: readonly string[];
}

interface Ending {
  readonly rollouts: readonly string[];
  readonly runs: readonly { readonly experiment: string; readonly environment: string; readonly isGoverned: boolean }[];
  readonly keys: readonly string[];
}

const MOVING = new Set(['running', 'held', 'paused']);
const OPEN = new Set(['running', 'paused', 'enrolment-frozen']);
/** A rollout that was rolled back has its experiment stopped by its process: a moment later. */
const ATTEMPTS = 50;
const PAUSE_MS = 100;

@Injectable()
export class ProjectRemoval {
  constructor(
    private readonly commands: CommandBus,
    private readonly catalogue: Catalogue,
  ) {}

  /** @throws DomainError project-not-found */
  async remove(project: string, envelope: Envelope): Promise<Removed> {
    const ending = await this.endingOf(project);
    const found = {
      ...{ project, rollouts: ending.rollouts, keys: ending.keys },
      experiments: ending.runs.map(({ experiment, environment }) => `${experiment} (${environment})`),
    };
    const remove = (asked: Envelope): Promise<Outcome> =>
      this.commands.execute(new ProjectMessage({ type: 'RemoveProject', project, atUs: envelope.origin.atUs }, asked));
    if (envelope.isDryRun) {
      await remove(envelope);
      return { ...found, isRemoved: false };
    }
    // Refused as it would be in the end, with its revision: before anything is ended.
    await remove({ ...envelope, isDryRun: true, idempotency: null });
    // Its parts are commands of their own: none of them is the request that the key names, or expects the project's revision.
    const own: Envelope = { ...envelope, idempotency: null, expectedRevision: null };
    for (const rollout of ending.rollouts) await this.commands.execute(new RolloutMessage(project, rollout, { type: 'RollBack' }, own));
    await this.stopRuns(project, own);
    for (const id of ending.keys)
      await this.commands.execute(new ApiKeyMessage(id, project, { type: 'RevokeApiKey', atUs: envelope.origin.atUs }, own, null));
    await remove(own);
    return { ...found, isRemoved: true };
  }

  private async stopRuns(project: string, envelope: Envelope): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { runs } = await this.endingOf(project);
      for (const run of runs) if (!run.isGoverned) await this.stop(project, run, envelope);
      if (runs.length === 0 || runs.every(({ isGoverned }) => !isGoverned)) return;
      if (attempt === ATTEMPTS) {
        const named = runs.map(({ experiment }) => experiment).join(', ');
        throw new DomainError(
          'project-still-moves',
          `${runs.length} experiments of "${project}" are not stopped yet (${named}): ask again`,
          { runs },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  private stop(project: string, { experiment, environment }: Ending['runs'][number], envelope: Envelope): Promise<Outcome> {
    const { atUs, reason } = envelope.origin;
    const decision = { outcome: 'stop', arm: null, reason: reason ?? 'the project is removed', record: null } as const;
    return this.commands.execute(
      new ExperimentMessage(project, experiment, { type: 'DecideExperiment', environment, ...decision, atUs }, envelope),
    );
  }

  private async endingOf(project: string): Promise<Ending> {
    const [rollouts, experiments, keys] = await Promise.all([
      this.catalogue.list('rollout', project),
      this.catalogue.list('experiment', project),
      this.catalogue.list('key', project),
    ]);
    return {
      rollouts: rollouts.filter(({ status }) => MOVING.has(String(status))).map(({ key }) => String(key)),
      runs: experiments.flatMap(({ key, environments }) => runsOf(String(key), environments)),
      keys: keys.filter(({ revoked }) => revoked !== true).map(({ id }) => String(id)),
    };
  }
}

const runsOf = (experiment: string, environments: unknown): Ending['runs'] =>
  Object.entries(environments as Readonly<Record<string, { readonly status: string; readonly ramp?: unknown }>>)
    .filter(([, { status }]) => OPEN.has(status))
    .map(([environment, { ramp }]) => ({ experiment, environment, isGoverned: ramp !== undefined }));
