import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Refusal } from '../../refusal.js';
import { scenarioParts } from './scenario.examples.js';
import { fieldTable, scenarioFields } from './scenario-fields.js';
import { limited, parseScenario, readScenario } from './scenario-file.js';

const repository = resolve(import.meta.dirname, '..', '..', '..', '..', '..');
const scenarios = join(repository, 'scenarios');

const complaintOf = (text: string): string => {
  try {
    parseScenario(text, 's.json');
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return 'nothing';
};
const written = (parts: object) => JSON.stringify(scenarioParts(parts));
const arms = [{ variant: 'control' }, { variant: 'treatment' }];
const metric = { key: 'm', name: 'M', type: 'mean', unitType: 'user', numerator: { event: 'purchase' } };
const definition = {
  key: 'button',
  name: 'B',
  variants: [{ key: 'control' }, { key: 'treatment' }],
  control: 'control',
  metrics: [{ metric: 'm', role: 'success' }],
};

describe('a scenario', () => {
  it('is short where the defaults will do', () => {
    expect(parseScenario('{ "key": "x", "description": "d", "arrival": { "perSecond": 1 } }', 's.json')).toMatchObject({
      project: 'traffic',
      environment: 'production',
      unitType: 'user',
      seed: 1,
      experiments: [],
      events: [],
      sending: { late: [], lost: [], shuffleSeconds: 0 },
    });
  });

  it('writes copies out, with their definitions', () => {
    const { experiments, define } = parseScenario(
      written({ experiments: [{ key: 'button', copies: 3, arms }], define: { metrics: [metric], experiments: [definition] } }),
      's.json',
    );
    const keys = ['button-01', 'button-02', 'button-03'];
    expect(experiments.map(({ key, salt }) => [key, salt])).toEqual(keys.map((key) => [key, key]));
    expect(define?.experiments.map(({ key }) => key)).toEqual(keys);
  });

  it('may be shorter or longer than it is written', () => {
    const scenario = parseScenario(written({ seconds: 60 }), 's.json');
    expect(limited(scenario, { units: 5 })).toMatchObject({ units: 5, seconds: undefined, seed: 1 });
    expect(limited(scenario, { seconds: 5, seed: 9 })).toMatchObject({ units: 8_000, seconds: 5, seed: 9 });
    expect(limited(scenario, {})).toEqual(scenario);
  });

  it('names line and column of a field that does not exist, and the one that was meant', () => {
    const text = '{ "key": "x", "description": "d",\n  "arrival": { "perSecnd": 1 } }';
    expect(complaintOf(text)).toContain('s.json:2:16: /arrival/perSecnd: there is no field "perSecnd" here. Did you mean "perSecond"?');
  });

  it.each([
    '',
    '[]',
    '"x"',
    'null',
    '{}',
    '{"key": "x"',
    '\u0000',
    '{"arrival": []}',
    '{"experiments": {}}',
    '{"events": [1]}',
    '{"sending": 1}',
  ])('that is garbage (%j) is refused with a sentence', (text) => {
    expect(complaintOf(text)).toMatch(/^s\.json:\d+:\d+: /);
  });

  it.each([
    [{ arrival: {} }, '/arrival: needs either "perSecond" or "phases"'],
    [{ arrival: { perSecond: 0 } }, '/arrival/perSecond'],
    [{ arrival: { phases: [{ seconds: 5, perSecond: 0 }] } }, 'every rate is 0'],
    [{ events: [{ name: 'purchase', probability: 1.5 }] }, '/events/0/probability'],
    [{ events: [{ name: 'a' }, { name: 'a' }] }, '/events/1/name: "a" is there already'],
    [{ events: [{ name: 'a', value: { distribution: 'normla', mean: 1, sd: 1 } }] }, '/events/0/value/distribution'],
    [{ events: [{ name: 'a', value: { distribution: 'normal', mean: 1 } }] }, '/events/0/value/sd: normal needs "sd"'],
    [{ events: [{ name: 'a', value: { distribution: 'poisson', mean: 1, sd: 1 } }] }, 'poisson has no "sd"; it takes mean'],
    [{ events: [{ name: 'a', count: { distribution: 'geometric', mean: 0.5 } }] }, 'the mean of geometric must be at least 1, got 0.5'],
    [{ experiments: [{ key: 'b', arms: [{ variant: 'x', weight: 0 }] }] }, 'every weight is 0'],
    [{ experiments: [{ key: 'b', arms: [arms[0], arms[0]] }] }, '/experiments/0/arms/1/variant: "control" is there already'],
    [
      { experiments: [{ key: 'b', arms: [{ variant: 'x', effects: [{ event: 'purchse', value: { relative: 1 } }] }] }] },
      '/experiments/0/arms/0/effects/0/event: there is no event "purchse". Did you mean "purchase"?',
    ],
    [
      { experiments: [{ key: 'b', arms: [{ variant: 'x', effects: [{ event: 'purchase', probability: { absolute: 0.9 } }] }] }] },
      'takes the probability from 0.2 to 1.1, which is none',
    ],
    [{ experiments: [{ key: 'b', arms: [{ variant: 'x', effects: [{ event: 'purchase' }] }] }] }, 'changes nothing'],
    [
      { experiments: [{ key: 'b', arms, choices: [{ reason: 'OVERRIDE', share: 0.1, variant: 'treatmnt' }] }] },
      'Did you mean "treatment"?',
    ],
    [{ sending: { lost: [{ share: 0.1, variant: 'x' }] } }, '/sending/lost/0/variant: needs "experiment" beside it'],
    [{ sending: { lost: [{ share: 0.1, experiment: 'buton' }] } }, 'Did you mean "button"?'],
    [{ sending: { lost: [{ share: 0.1, event: 'purchase' }] } }, 'needs "what": "event" beside it'],
    [{ properties: { way: { a: 0.7, b: 0.7 } } }, '/properties/way: the shares add up to 1.4, more than 1'],
    [{ define: { metrics: [{ ...metric, type: 'men' }] } }, '/define/metrics/0/type'],
    [
      { define: { experiments: [{ ...definition, variants: [{ key: 'control' }, { key: 'teatment' }] }] } },
      '/experiments/0/arms/1/variant: there is no variant of its definition "treatment". Did you mean "teatment"?',
    ],
    [{ unitType: 'device', define: { experiments: [definition] } }, '/unitType: is "device", but the definition of "button" says "user"'],
  ])('%j is refused with a sentence', (parts, sentence) => {
    expect(complaintOf(written(parts))).toContain(sentence);
  });
});

describe('the scenarios of this repository', () => {
  const names = readdirSync(scenarios);

  it('are all there', () => {
    const expected = ['better', 'broken-ratio', 'broken-ratio-with-crashes', 'harmful', 'late-and-twice', 'mixed-twenty', 'no-effect'];
    expect(new Set(names)).toEqual(new Set(expected.map((name) => `${name}.json`)));
  });

  it.each(names)('%s is valid, named like its file, and defines what it sends', (name) => {
    const scenario = readScenario(join(scenarios, name));
    expect(`${scenario.key}.json`).toBe(name);
    expect(scenario.define?.experiments.map(({ key }) => key)).toEqual(scenario.experiments.map(({ key }) => key));
    const events = scenario.events.map((event) => event.name);
    for (const { numerator } of scenario.define?.metrics ?? []) expect(events).toContain(numerator.event);
    const metrics = scenario.define?.metrics.map(({ key }) => key);
    for (const { metrics: uses } of scenario.define?.experiments ?? []) for (const { metric: key } of uses) expect(metrics).toContain(key);
  });
});

/** Without what the formatter adds: blanks that align columns. */
const cells = (table: string) =>
  table.split('\n').map((line) =>
    line
      .replace(/ +\| +/g, ' | ')
      .replace(/-{3,}/g, '---')
      .trim(),
  );

it('docs/simulating.md has every field, and every field says something', () => {
  const docs = readFileSync(join(repository, 'docs', 'simulating.md'), 'utf8');
  const [, table = ''] = /<!-- fields -->\n+([\s\S]*?)\n+<!-- \/fields -->/.exec(docs) ?? [];
  expect(scenarioFields().filter(({ meaning }) => meaning === '')).toEqual([]);
  expect(cells(table)).toEqual(cells(fieldTable()));
});
