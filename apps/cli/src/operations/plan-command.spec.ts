import { describe, expect, it } from '@jest/globals';
import { historyQuestion, powerQuestion } from '@rampart/contracts';
import { readCommandLine } from '../command-line.js';
import { powerRequest } from './plan-command.js';

const request = (...words: string[]) => {
  const typed = readCommandLine(['plan', 'power', ...words]);
  if (!('texts' in typed)) throw new Error('a command was typed');
  return powerRequest(typed);
};
const DEFAULTS = { sides: 'two-sided', method: 'sequential' };

describe('rampart plan power', () => {
  it('asks about what is expected', () => {
    const { path, body } = request('--mean', '40', '--sd', '15', '--effect', '5%', '--correlation', '0.5', '--metrics', '2');
    expect(path).toBe('/v1/plans/power');
    expect(body).toEqual({
      ...DEFAULTS,
      ...{ metric: { mean: 40, sd: 15 }, minimumEffect: { relative: 0.05 }, correlation: 0.5, successMetrics: 2 },
    });
  });

  it.each([
    [
      ['--method', 'group-sequential', '--looks', '8', '--spending', 'pocock'],
      { method: 'group-sequential', looks: 8, spending: 'pocock' },
    ],
    [['--method', 'group-sequential', '--spending', '3'], { method: 'group-sequential', spending: { power: 3 } }],
    [['--method', 'msprt', '--tau', '0.4'], { method: 'msprt', tau: 0.4 }],
    [
      ['--method', 'bayesian', '--prior-sd', '2%', '--expected-loss', '0.1%', '--minimum-units', '500'],
      { method: 'bayesian', bayesian: { prior: { mean: 0, sd: 0.02 }, expectedLoss: 0.001, minimumUnits: 500 } },
    ],
    [['--one-look', '--one-sided'], { method: 'fixed-horizon', sides: 'one-sided' }],
  ] as const)('says the method by %j, as the door takes it', (words, expected) => {
    const { body } = request('--rate', '0.1', '--effect', '0.02', ...words);
    expect(body).toMatchObject(expected);
    expect(powerQuestion.safeParse(body).error).toBeUndefined();
  });

  it('asks an experiment that has run', () => {
    const { path, body } = request('--experiment', 'button', '--metric', 'spend', '--effect', '2%', '--environment', 'staging');
    expect(path).toBe('/v1/experiments/button/power?project=default&environment=staging');
    expect(body).toEqual({ ...DEFAULTS, metric: 'spend', adjusted: true, minimumEffect: { relative: 0.02 } });
    expect(historyQuestion.safeParse(body).error).toBeUndefined();
  });

  it.each([
    [['--effect', '1'], 'Say what control is like'],
    [['--rate', '0.1', '--effect', '1', '--method', 'peeking'], '--method is one of sequential, group-sequential'],
    [['--rate', '0.1', '--effect', '1', '--method', 'msprt', '--one-look'], '--one-look is method fixed-horizon, not msprt'],
    [['--rate', '0.1', '--effect', '1', '--expected-loss', '1%'], 'say --prior-sd 2% as well'],
    [['--experiment', 'button', '--effect', '1'], '--metric KEY'],
    [['--experiment', 'button', '--metric', 'spend', '--rate', '0.1', '--effect', '1'], '--rate is what button has shown'],
  ] as const)('refuses %j', (words, message) => {
    expect(() => request(...words)).toThrow(message);
  });
});
