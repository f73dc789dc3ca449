/** One message per aggregate for the CommandBus, the one door for HTTP and processes: the plain command, and where and how it is carried out. */
import { Command } from '@nestjs/cqrs';
import type { DecisionRecord } from '@rampart/contracts';
import type {
  AllocationCommand,
  ApiKeyCommand,
  EnvironmentCommand,
  FeatureCommand,
  MetricCommand,
  ProjectCommand,
  WebhookCommand,
} from '@rampart/domain';
import type { AllocationKind } from '../streams.js';
import type { Envelope, Outcome } from './command-door.js';
import type { ExperimentRequest } from './surroundings.js';

export class ProjectMessage extends Command<Outcome> {
  constructor(
    readonly command: ProjectCommand,
    readonly envelope: Envelope,
  ) {
    super();
  }
}

export class EnvironmentMessage extends Command<Outcome> {
  constructor(
    readonly command: EnvironmentCommand,
    readonly envelope: Envelope,
  ) {
    super();
  }
}

export class ApiKeyMessage extends Command<Outcome> {
  /**
   * @param project  whose key it must be; null: of any project, or of the platform
   * @param secret  the whole new key, for the answer only; null when none was made
   */
  constructor(
    readonly id: string,
    readonly project: string | null,
    readonly command: ApiKeyCommand,
    readonly envelope: Envelope,
    readonly secret: string | null,
  ) {
    super();
  }
}

export class MetricMessage extends Command<Outcome> {
  constructor(
    readonly project: string,
    readonly command: MetricCommand,
    readonly envelope: Envelope,
  ) {
    super();
  }
}

export class FeatureMessage extends Command<Outcome> {
  constructor(
    readonly project: string,
    readonly feature: string,
    readonly command: FeatureCommand,
    readonly envelope: Envelope,
  ) {
    super();
  }
}

export class ExperimentMessage extends Command<Outcome> {
  constructor(
    readonly project: string,
    readonly experiment: string,
    readonly command: ExperimentRequest,
    readonly envelope: Envelope,
  ) {
    super();
  }
}

/** A layer, a holdout or an override. */
export class AllocationMessage extends Command<Outcome> {
  constructor(
    readonly kind: AllocationKind,
    readonly project: string,
    readonly key: string,
    readonly command: AllocationRequest,
    readonly envelope: Envelope,
  ) {
    super();
  }
}

export class WebhookMessage extends Command<Outcome> {
  /** @param secret  the whole new secret, for the answer only; null when none was made */
  constructor(
    readonly project: string,
    readonly key: string,
    readonly command: WebhookCommand,
    readonly envelope: Envelope,
    readonly secret: string | null,
  ) {
    super();
  }
}

/** Before its facts have been looked up. */
export type AllocationRequest = WithoutFacts<AllocationCommand>;
type WithoutFacts<Of> = Of extends unknown ? Omit<Of, 'feature' | 'missingFeatures'> : never;

/** A record that analysis proposes: it counts once it is appended. */
export class DecisionMessage extends Command<Outcome> {
  constructor(
    readonly record: DecisionRecord,
    readonly envelope: Envelope,
  ) {
    super();
  }
}
