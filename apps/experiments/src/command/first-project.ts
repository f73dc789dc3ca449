/** A fresh platform has a project `default` with a live environment `production`, so that the first event needs no set-up. Ordinary commands. */
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { DomainError } from '@rampart/domain';
import { nowUs } from '../clock.js';
import type { Envelope } from './command-door.js';
import { EnvironmentMessage, ProjectMessage } from './command-messages.js';

const PROJECT = 'default';
const ENVIRONMENT = 'production';

@Injectable()
export class FirstProject implements OnApplicationBootstrap {
  constructor(private readonly commands: CommandBus) {}

  async onApplicationBootstrap(): Promise<void> {
    const atUs = nowUs();
    const envelope: Envelope = {
      origin: { atUs, actor: 'platform', reason: 'first start', requestId: null },
      expectedRevision: null,
      idempotency: null,
      isDryRun: false,
    };
    await unlessThere(
      this.commands.execute(new ProjectMessage({ type: 'CreateProject', project: PROJECT, name: 'Default', atUs }, envelope)),
    );
    const command = { type: 'CreateEnvironment', project: PROJECT, environment: ENVIRONMENT, kind: 'live', atUs } as const;
    await unlessThere(this.commands.execute(new EnvironmentMessage(command, envelope)));
  }
}

/** Whoever removed it wants it no more. */
const unlessThere = (created: Promise<unknown>): Promise<unknown> =>
  created.catch((error: unknown) => {
    if (error instanceof DomainError && (error.code.endsWith('-exists') || error.code === 'project-removed')) return undefined;
    throw error;
  });
