/** From a message to its stream, its decider and the document that answers. */
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  type AllocationCommand,
  type ApiKey,
  type ApiKeyCommand,
  type ApiKeyEvent,
  allocationDecider,
  apiKeyDecider,
  type Decider,
  type DecisionChain,
  DomainError,
  decisionDecider,
  environmentDecider,
  experimentDecider,
  featureDecider,
  metricDecider,
  projectDecider,
  type Webhook,
  webhookDecider,
} from '@rampart/domain';
import {
  allocationDocument,
  environmentDocument,
  experimentDocument,
  featureDocument,
  keyDocument,
  metricDocument,
  projectDocument,
  webhookDocument,
} from '../catalogue/documents.js';
import {
  allocationStream,
  decisionStream,
  environmentStream,
  experimentStream,
  featureStream,
  keyStream,
  metricStream,
  projectStream,
  webhookStream,
} from '../streams.js';
import { CommandDoor, type Outcome } from './command-door.js';
import {
  AllocationMessage,
  type AllocationRequest,
  ApiKeyMessage,
  DecisionMessage,
  EnvironmentMessage,
  ExperimentMessage,
  FeatureMessage,
  MetricMessage,
  ProjectMessage,
  WebhookMessage,
} from './command-messages.js';
import { recordIdOf } from './record-id.js';
import { RememberedStreams } from './remembered-streams.js';
import { SurroundingsReader } from './surroundings.js';

@CommandHandler(ProjectMessage)
class ProjectHandler implements ICommandHandler<ProjectMessage> {
  constructor(private readonly door: CommandDoor) {}

  execute({ command, envelope }: ProjectMessage): Promise<Outcome> {
    return this.door.execute({
      stream: projectStream(command.project),
      decider: projectDecider,
      command,
      envelope,
      document: projectDocument,
    });
  }
}

@CommandHandler(EnvironmentMessage)
class EnvironmentHandler implements ICommandHandler<EnvironmentMessage> {
  constructor(private readonly door: CommandDoor) {}

  execute({ command, envelope }: EnvironmentMessage): Promise<Outcome> {
    const stream = environmentStream(command.project, command.environment);
    return this.door.execute({ stream, decider: environmentDecider, command, envelope, document: environmentDocument });
  }
}

@CommandHandler(ApiKeyMessage)
class ApiKeyHandler implements ICommandHandler<ApiKeyMessage> {
  constructor(
    private readonly door: CommandDoor,
    private readonly surroundings: SurroundingsReader,
  ) {}

  async execute({ id, project, command, envelope, secret }: ApiKeyMessage): Promise<Outcome> {
    if (command.type === 'CreateApiKey' && command.project !== null) await this.surroundings.requireProject(command.project);
    const document = (state: ApiKey, revision: number) => ({
      ...keyDocument(state, revision),
      ...(secret === null || envelope.isDryRun ? {} : { key: secret }),
    });
    return this.door.execute({ stream: keyStream(id), decider: keysOf(project), command, envelope, document });
  }
}

/** Keys of other projects are as good as absent: nobody learns that they exist. */
const keysOf = (project: string | null): Decider<ApiKey, ApiKeyCommand, ApiKeyEvent> => ({
  ...apiKeyDecider,
  decide: (command, state) => {
    if (project !== null && state.status !== 'absent' && state.project !== project)
      throw new DomainError('key-not-found', 'there is no such key in this project');
    return apiKeyDecider.decide(command, state);
  },
});

@CommandHandler(MetricMessage)
class MetricHandler implements ICommandHandler<MetricMessage> {
  constructor(private readonly door: CommandDoor) {}

  execute({ project, command, envelope }: MetricMessage): Promise<Outcome> {
    const stream = metricStream(project, command.definition.key);
    return this.door.execute({ stream, decider: metricDecider, command, envelope, document: metricDocument });
  }
}

@CommandHandler(FeatureMessage)
class FeatureHandler implements ICommandHandler<FeatureMessage> {
  constructor(
    private readonly door: CommandDoor,
    private readonly surroundings: SurroundingsReader,
  ) {}

  async execute({ project, feature, command, envelope }: FeatureMessage): Promise<Outcome> {
    if ('environment' in command) await this.surroundings.kindOf(project, command.environment);
    const stream = featureStream(project, feature);
    return this.door.execute({ stream, decider: featureDecider, command, envelope, document: featureDocument });
  }
}

@CommandHandler(AllocationMessage)
class AllocationHandler implements ICommandHandler<AllocationMessage> {
  constructor(
    private readonly door: CommandDoor,
    private readonly surroundings: SurroundingsReader,
  ) {}

  async execute({ kind, project, key, command: request, envelope }: AllocationMessage): Promise<Outcome> {
    const command = await this.completed(project, request);
    const stream = allocationStream(kind, project, key);
    return this.door.execute({ stream, decider: allocationDecider, command, envelope, document: allocationDocument });
  }

  private async completed(project: string, request: AllocationRequest): Promise<AllocationCommand> {
    if (request.type === 'DefineHoldout')
      return { ...request, missingFeatures: await this.surroundings.missingFeatures(project, request.definition.features ?? []) };
    if (request.type !== 'DefineOverride') return request;
    await this.surroundings.kindOf(project, request.environment);
    return { ...request, feature: await this.surroundings.feature(project, request.definition.feature) };
  }
}

@CommandHandler(WebhookMessage)
class WebhookHandler implements ICommandHandler<WebhookMessage> {
  constructor(
    private readonly door: CommandDoor,
    private readonly surroundings: SurroundingsReader,
  ) {}

  async execute({ project, key, command, envelope, secret }: WebhookMessage): Promise<Outcome> {
    const environment = command.type === 'DefineWebhook' ? command.definition.environment : undefined;
    if (environment !== undefined) await this.surroundings.kindOf(project, environment);
    const document = (state: Webhook, revision: number) => ({
      ...webhookDocument(state, revision),
      ...(secret === null || envelope.isDryRun ? {} : { secret }),
    });
    return this.door.execute({ stream: webhookStream(project, key), decider: webhookDecider, command, envelope, document });
  }
}

@CommandHandler(ExperimentMessage)
class ExperimentHandler implements ICommandHandler<ExperimentMessage> {
  constructor(
    private readonly door: CommandDoor,
    private readonly surroundings: SurroundingsReader,
  ) {}

  async execute({ project, experiment, command: request, envelope }: ExperimentMessage): Promise<Outcome> {
    const command = await this.surroundings.completed(project, experiment, request);
    const stream = experimentStream(project, experiment);
    return this.door.execute({ stream, decider: experimentDecider, command, envelope, document: experimentDocument });
  }
}

@CommandHandler(DecisionMessage)
class DecisionHandler implements ICommandHandler<DecisionMessage> {
  private readonly chains = new RememberedStreams<DecisionChain>();

  constructor(private readonly door: CommandDoor) {}

  execute({ record, envelope }: DecisionMessage): Promise<Outcome> {
    const command = { type: 'RecordDecision', record, idOfParts: recordIdOf(record), atUs: envelope.origin.atUs } as const;
    return this.door.execute({
      stream: decisionStream(record),
      decider: decisionDecider,
      command,
      envelope,
      remembered: this.chains,
      document: ({ newest }) => ({ id: record.id, newest: newest?.id ?? null }),
    });
  }
}

export const commandHandlers = [
  ProjectHandler,
  EnvironmentHandler,
  ApiKeyHandler,
  MetricHandler,
  FeatureHandler,
  AllocationHandler,
  WebhookHandler,
  ExperimentHandler,
  DecisionHandler,
];
