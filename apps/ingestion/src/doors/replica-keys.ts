/** The keys that ingestion believes: those of the definitions. */
import { Injectable } from '@nestjs/common';
import { ApiKeys, type KeyRecord } from '@rampart/service-kit';
import { LogLink } from '../running/log-link.js';

@Injectable()
export class ReplicaKeys extends ApiKeys {
  constructor(private readonly link: LogLink) {
    super();
  }

  override byHash(hash: string): KeyRecord | undefined {
    return this.link.definitions.keyByHash(hash);
  }

  override hasProject(project: string): boolean {
    return this.link.definitions.project(project) !== undefined;
  }
}
