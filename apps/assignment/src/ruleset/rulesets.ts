/** The compiled rulesets, one per environment, each compiled again only when something that concerns it changed. */
import { createHash } from 'node:crypto';
import { canonicalJson, EVERYWHERE } from '@rampart/contracts';
import { type ServedRuleset, servedRuleset } from '../evaluation/served-ruleset.js';
import { assignmentDefinitions } from './assignment-definitions.js';
import type { ChangedScope, DefinitionsView } from './definitions-view.js';

const VERSION_DIGITS = 16;

export class Rulesets {
  private readonly served = new Map<string, ServedRuleset>();
  /** By place: why its newest definitions can’t be compiled. */
  private readonly failed = new Map<string, string>();
  private compilations = 0;

  constructor(private readonly view: DefinitionsView) {}

  /** How often something was compiled. */
  get compiled(): number {
    return this.compilations;
  }

  /** Sentences; empty when everything that changed is in force. */
  get failures(): readonly string[] {
    return [...this.failed].map(([place, why]) => `${place}: ${why}`);
  }

  /** Of an environment that exists. */
  of(project: string, environment: string): ServedRuleset {
    const place = placeOf(project, environment);
    const found = this.served.get(place);
    if (found !== undefined) return found;
    const made = this.compile(project, environment);
    this.served.set(place, made);
    return made;
  }

  /**
   * What changed is compiled here and now where it was asked for before, so that no request waits for it.
   * @returns what could not be compiled: there, what was served before is served on
   */
  changed(scopes: readonly ChangedScope[]): readonly unknown[] {
    const errors: unknown[] = [];
    const places = new Set(
      [...this.served.values()]
        .filter((one) => scopes.some((scope) => scope.project === one.project && isFeltIn(scope, one.environment)))
        .map(({ project, environment }) => placeOf(project, environment)),
    );
    for (const place of places) {
      const before = this.served.get(place);
      if (before === undefined) continue;
      try {
        this.served.set(place, this.compile(before.project, before.environment, before));
        this.failed.delete(place);
      } catch (error) {
        this.failed.set(place, error instanceof Error ? error.message : String(error));
        errors.push(error);
      }
    }
    return errors;
  }

  private compile(project: string, environment: string, before?: ServedRuleset): ServedRuleset {
    const definitions = assignmentDefinitions(this.view.published(project, environment));
    const version = createHash('sha256').update(canonicalJson(definitions)).digest('hex').slice(0, VERSION_DIGITS);
    // A key was made, a draft was edited: nothing that decides.
    if (before?.version === version) return before;
    this.compilations += 1;
    return servedRuleset({ project, environment }, definitions, { version, changedAtUs: this.view.changedAtUs(project) });
  }
}

const placeOf = (project: string, environment: string): string => `${project}/${environment}`;
const isFeltIn = (scope: ChangedScope, environment: string): boolean =>
  scope.environment === EVERYWHERE || scope.environment === environment;
