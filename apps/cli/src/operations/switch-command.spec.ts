import { describe, expect, it } from '@jest/globals';
import { readCommandLine } from '../command-line.js';
import { type SwitchRequest, switchRequest } from './switch-command.js';

const read = (...argv: readonly string[]): SwitchRequest => {
  const typed = readCommandLine(argv);
  if ('help' in typed || (typed.command !== 'kill' && typed.command !== 'restore')) throw new Error('another command');
  return switchRequest({ ...typed, command: typed.command });
};

describe('the kill switch on the command line', () => {
  it('is of a feature in production, unless another environment is named', () => {
    const place = { feature: 'colour', project: 'default', reason: 'it burns', address: undefined };
    expect(read('kill', 'colour', '--reason', 'it burns')).toEqual({ ...place, action: 'kill', environmentKey: 'production' });
    const staging = read('restore', 'colour', '--reason', 'it burns', '--environment', 'staging', '--project', 'shop');
    expect(staging).toEqual({ ...place, action: 'restore', environmentKey: 'staging', project: 'shop' });
  });

  it.each([
    [['kill'], 'Which feature?'],
    [['kill', 'colour'], 'Why?'],
    [['kill', 'colour', 'size', '--reason', 'r'], 'takes one feature'],
    [['kill', 'colour', '--raison', 'r'], 'Did you mean "--reason"?'],
  ])('%j is answered with what is missing', (argv, sentence) => {
    expect(() => read(...argv)).toThrow(sentence);
  });
});
