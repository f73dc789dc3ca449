import { describe, expect, it } from '@jest/globals';
import { demosAmong, PROJECT_NAME, projectKey } from './shop.js';

describe('the projects of the demo', () => {
  it('are known by key and name: what somebody else calls so is never removed', () => {
    const projects = [
      { key: projectKey(1), name: 'Our demo for the board' },
      { key: projectKey(2), name: PROJECT_NAME },
      { key: 'demonstration', name: PROJECT_NAME },
    ];
    expect(demosAmong(projects)).toEqual(['demo-2']);
  });
});
