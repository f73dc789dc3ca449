/** What a compile step shares: equal hashes and equal conditions of a ruleset get one place each. */

import { jsonOf } from '../conditions/attributes.js';
import { compileCondition } from '../conditions/condition.js';
import type { SavedGroups } from '../conditions/predicates.js';
import { bucketingOf } from '../hashing/bucket.js';
import { boundsOf, type Range } from '../hashing/ranges.js';
import type { CompiledFeature, Condition, Decision, Filter, HashGroup, HashUse, Problem, Ruleset } from '../ruleset/ruleset.js';

export interface CompileOptions {
  /** Makes each decision's answer once, for instance its JSON text; kept in `decision.encoded`. */
  readonly encode?: (decision: Omit<Decision, 'encoded'>) => string;
}

export class Compilation {
  readonly features = new Map<string, CompiledFeature>();
  readonly problems: Problem[] = [];
  private readonly hashes = new Map<string, HashUse>();
  private readonly conditions = new Map<string, Condition>();

  constructor(
    readonly groups: SavedGroups,
    private readonly options: CompileOptions,
  ) {}

  decision(decision: Omit<Decision, 'encoded'>): Decision {
    return Object.freeze({ ...decision, encoded: this.options.encode?.(decision) ?? '' });
  }

  /** @returns null for an unknown version */
  hash(seed: unknown, version: number, attribute: string): HashUse | null {
    const bucketing = bucketingOf(String(seed), version);
    if (bucketing === null) return null;
    const key = JSON.stringify([version, attribute, bucketing.seed]);
    const known = this.hashes.get(key);
    if (known !== undefined) return known;
    const use: HashUse = { bucketing, attribute, slot: -1 };
    this.hashes.set(key, use);
    return use;
  }

  /** @returns null without a condition: it holds */
  condition(condition: unknown): Condition | null {
    if (!condition) return null;
    const key = jsonOf(condition) ?? '';
    const known = this.conditions.get(key);
    if (known !== undefined) return known;
    const compiled: Condition = { test: compileCondition(condition, this.groups), slot: this.conditions.size };
    this.conditions.set(key, compiled);
    return compiled;
  }

  filter(name: string, seed: unknown, ranges: unknown, version: number, attribute: string): Filter {
    const hash = this.hash(seed, version, attribute);
    return { name, hash, bounds: boundsOf(Array.isArray(ranges) ? (ranges as Range[]) : [], hash?.bucketing.buckets ?? 1) };
  }

  ruleset(): Ruleset {
    const uses = [...this.hashes.values()];
    const modern = uses.filter(({ bucketing }) => bucketing.version === 2);
    const attributes = [...new Set(modern.map(({ attribute }) => attribute))];
    const buckets = new Int32Array(uses.length);
    let next = 0;
    const groups: HashGroup[] = attributes.map((attribute) => {
      const mine = modern.filter((use) => use.attribute === attribute);
      const first = next;
      for (const use of mine) {
        use.slot = next;
        next += 1;
      }
      const states = Int32Array.from(mine, ({ bucketing }) => bucketing.state);
      return { attribute, uses: mine, states, buckets: buckets.subarray(first, next) };
    });
    const legacyHashes = uses.filter(({ slot }) => slot < 0);
    for (const use of legacyHashes) {
      use.slot = next;
      next += 1;
    }
    return {
      features: this.features,
      list: [...this.features.values()],
      groups,
      legacyHashes,
      problems: this.problems,
      buckets,
      memory: new Uint8Array(this.conditions.size),
    };
  }
}
