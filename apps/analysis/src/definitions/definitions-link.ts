/** The replica of `definitions.v1`: keys, environments and what is in force, as soon as the log is there. */
import { Injectable } from '@nestjs/common';
import type { EnvironmentDefinition } from '@rampart/contracts';
import { DefinitionsReplica, type EventLog, LogUnavailableError } from '@rampart/event-log';
import { ApiKeys, type KeyRecord } from '@rampart/service-kit';
import { type DefinitionInForce, Definitions, type Run } from './definition-in-force.js';
import { ReplicaDefinitions } from './replica-definitions.js';

@Injectable()
export class DefinitionsLink {
  private replica: DefinitionsReplica | undefined;

  /** The topic must exist. */
  start(log: EventLog): void {
    this.replica ??= DefinitionsReplica.start(log);
  }

  /** @throws LogUnavailableError while definitions are not known: an unknown key is not a wrong key then */
  get current(): DefinitionsReplica {
    const trouble = this.trouble();
    if (this.replica === undefined || trouble !== undefined)
      throw new LogUnavailableError(trouble ?? 'definitions are not read yet', 1_000);
    return this.replica;
  }

  /** Known time of the last message; undefined while there is none. */
  get lastKnownAtUs(): number | undefined {
    return this.replica?.lastKnownAtUs;
  }

  trouble(): string | undefined {
    return this.replica === undefined ? 'definitions are not read yet' : this.replica.trouble();
  }

  async close(): Promise<void> {
    await this.replica?.close();
  }
}

@Injectable()
export class LinkedKeys extends ApiKeys {
  constructor(private readonly link: DefinitionsLink) {
    super();
  }

  override byHash(hash: string): KeyRecord | undefined {
    return this.link.current.keyByHash(hash);
  }

  override hasProject(project: string): boolean {
    return this.link.current.project(project) !== undefined;
  }
}

@Injectable()
export class LinkedDefinitions extends Definitions {
  constructor(private readonly link: DefinitionsLink) {
    super();
  }

  inForce(project: string, environment: string, experiment: string, atUs: number | null): DefinitionInForce {
    return new ReplicaDefinitions(this.link.current).inForce(project, environment, experiment, atUs);
  }

  runs(): readonly Run[] {
    return new ReplicaDefinitions(this.link.current).runs();
  }

  environment(project: string, environment: string): EnvironmentDefinition {
    return new ReplicaDefinitions(this.link.current).environment(project, environment);
  }
}
