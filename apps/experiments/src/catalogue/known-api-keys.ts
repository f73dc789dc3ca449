/** The keys that this service believes: its own, read where they are written. */
import { Injectable } from '@nestjs/common';
import { type ApiKeyEvent, apiKeyDecider, fold, type ProjectEvent, projectDecider } from '@rampart/domain';
import { EventStore } from '@rampart/event-store';
import { ApiKeys, type KeyRecord } from '@rampart/service-kit';
import { projectStream } from '../streams.js';
import { Catalogue } from './catalogue.store.js';

@Injectable()
export class KnownApiKeys extends ApiKeys {
  constructor(
    private readonly store: EventStore,
    private readonly catalogue: Catalogue,
  ) {
    super();
  }

  async byHash(hash: string): Promise<KeyRecord | undefined> {
    const stream = await this.catalogue.keyStreamByHash(hash);
    if (stream === undefined) return undefined;
    // From the stream: a key that was revoked or rotated a moment ago is no longer believed.
    const events = (await this.store.readStream(stream)).map(({ event }) => event as ApiKeyEvent);
    const key = fold(apiKeyDecider, events);
    if (key.status === 'absent') return undefined;
    const { id, role, project, environment, previous, expiresAtUs } = key;
    return {
      ...{ id, hash: key.hash, role, project, environment, revoked: key.status === 'revoked' },
      ...(previous === null ? {} : { previous }),
      ...(expiresAtUs === null ? {} : { expiresAtUs }),
    };
  }

  /** What was in a removed one can still be read. */
  async hasProject(project: string, isReading: boolean): Promise<boolean> {
    const events = (await this.store.readStream(projectStream(project))).map(({ event }) => event as ProjectEvent);
    const { status } = fold(projectDecider, events);
    return status === 'existing' || (status === 'removed' && isReading);
  }
}
