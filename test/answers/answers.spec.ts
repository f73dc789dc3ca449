import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { answerModules } from './answer-modules.js';

describe('what the routes answer, as their documents tell it', () => {
  it('is what they return: npm run docs:answers writes it anew', () => {
    const modules = answerModules();
    expect(modules.length).toBeGreaterThan(2);
    for (const { path, text } of modules) expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
