import { describe, expect, it } from '@jest/globals';
import { readCommandLine } from './command-line.js';

describe('the command line', () => {
  it('is read with its defaults', () => {
    expect(readCommandLine(['import', '--plan', 'p.json', '--data=d.csv', '--keep-running'])).toEqual({
      command: 'import',
      words: [],
      texts: { plan: 'p.json', data: 'd.csv', project: 'imports', 'max-rejected': '100' },
      flags: { 'keep-running': true, 'skip-bad-rows': false, check: false },
    });
  });

  it.each([
    [['imprt'], 'There is no command "imprt". Did you mean "import"?'],
    [['import', '--dat', 'x'], 'has no option "--dat". Did you mean "--data"?'],
    [['import', '--plan'], 'argument missing'],
  ])('%j is answered with what was meant', (argv, sentence) => {
    expect(() => readCommandLine(argv)).toThrow(sentence);
  });

  it.each([[[]], [['--help']], [['import', '--help']], [['help', 'keys']], [['rebuild', '-h']]])('%j is answered with help', (argv) => {
    expect(readCommandLine(argv)).toEqual({ help: expect.stringContaining('rampart') });
  });
});
