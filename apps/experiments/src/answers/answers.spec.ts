import { describe, expect, it } from '@jest/globals';
import * as allocation from './allocation-answers.js';
import type { DocumentedAnswer } from './answering.js';
import * as definitions from './definition-answers.js';
import * as experiments from './experiment-answers.js';
import * as rollouts from './rollout-answers.js';
import * as webhooks from './webhook-answers.js';

const isDocumented = (value: unknown): value is DocumentedAnswer => typeof value === 'object' && value !== null && 'example' in value;

describe('documented answers', () => {
  it('have examples that are as their schema says', () => {
    const all = Object.entries({ ...allocation, ...definitions, ...experiments, ...rollouts, ...webhooks }).filter(([, value]) =>
      isDocumented(value),
    );
    expect(all.length).toBeGreaterThan(15);
    for (const [name, answer] of all) {
      if (!isDocumented(answer)) continue;
      const { error } = answer.schema.safeParse(JSON.parse(JSON.stringify(answer.example)));
      expect([name, error?.issues ?? []]).toEqual([name, []]);
    }
  });
});
