import { describe, expect, it } from '@jest/globals';
import { linkTo, routeOf } from './routing.js';

describe('addresses of the page', () => {
  it.each([
    ['', { page: 'overview' }],
    ['#/', { page: 'overview' }],
    [linkTo.rollout('a.b_c-1'), { page: 'rollout', key: 'a.b_c-1' }],
    [linkTo.experiment('x'), { page: 'experiment', key: 'x' }],
    [linkTo.record('00ff'), { page: 'record', id: '00ff' }],
    ['#/sign-in?code=a_-1', { page: 'sign-in', code: 'a_-1' }],
    [linkTo.plan('effect=5%25'), { page: 'plan' }],
    ['#/sign-in', { page: 'sign-in', code: undefined }],
    ['#/rollouts/', { page: 'unknown', path: 'rollouts/' }],
    ['#/rollouts/a/b', { page: 'unknown', path: 'rollouts/a/b' }],
    ['#/%E0', { page: 'unknown', path: '%E0' }],
  ])('%s', (hash, route) => {
    expect(routeOf(hash)).toEqual(route);
  });
});
