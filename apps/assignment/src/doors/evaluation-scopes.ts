/** Which ruleset a caller is answered from, and the keys that are believed: both from the definitions. */
import { Injectable } from '@nestjs/common';
import { DomainError } from '@rampart/domain/errors';
import { LogUnavailableError } from '@rampart/event-log';
import { ApiKeys, type CallerIdentity, type KeyRecord } from '@rampart/service-kit';
import type { ServedRuleset } from '../evaluation/served-ruleset.js';
import { DefinitionsFeed } from '../ruleset/definitions.feed.js';

const RETRY_AFTER_MS = 1_000;

@Injectable()
export class FedKeys extends ApiKeys {
  constructor(private readonly feed: DefinitionsFeed) {
    super();
  }

  /** @throws LogUnavailableError while nothing complete is known: an unknown key is not a wrong key then */
  override byHash(hash: string): KeyRecord | undefined {
    this.requireAnswers();
    return this.feed.view.keyByHash(hash);
  }

  override hasProject(project: string): boolean {
    this.requireAnswers();
    return this.feed.view.project(project) !== undefined;
  }

  private requireAnswers(): void {
    if (!this.feed.canAnswer) throw new LogUnavailableError(this.feed.trouble() ?? 'definitions are not read yet', RETRY_AFTER_MS);
  }
}

@Injectable()
export class EvaluationScopes {
  constructor(private readonly feed: DefinitionsFeed) {}

  /** @throws DomainError environment-not-found; environment-kind for one that holds history, in which nobody is left to be told anything */
  rulesetOf({ environment, project }: Pick<CallerIdentity, 'project' | 'environment'>): ServedRuleset {
    const [inProject, named] = [project ?? '', environment ?? 'production'];
    const found = this.feed.view.environment(inProject, named);
    if (found === undefined) throw new DomainError('environment-not-found', `The project ${inProject} has no environment ${named}.`);
    if (found.kind === 'historical')
      throw new DomainError('environment-kind', `${named} is a historical environment: evaluate in a live one, named by ?environment=.`, {
        environment: named,
        kind: found.kind,
      });
    return this.feed.rulesets.of(inProject, named);
  }

  /** @returns whole seconds since anything was heard of definitions, where that is too long; else null */
  staleSeconds(): number | null {
    return this.feed.staleSeconds(Date.now());
  }

  ageSeconds(): number | null {
    const ageMs = this.feed.ageMs(Date.now());
    return ageMs === null ? null : Math.round(ageMs) / 1_000;
  }
}
