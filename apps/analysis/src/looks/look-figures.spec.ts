import { expect, it } from '@jest/globals';
import { Metrics } from '@rampart/service-kit';
import { LookFigures } from './look-figures.js';

it('a recount that differs is an increase, though it is the first: both series are there from the start', async () => {
  const metrics = new Metrics('analysis');
  const figures = new LookFigures(metrics);
  const told = async () =>
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('rampart_look_recounts_total{'))
      .map((line) => line.replace(/^.*same="(\w+)".* (\d+)$/, '$1 $2'));
  expect(await told()).toEqual(['true 0', 'false 0']);
  figures.recounted(false);
  expect(await told()).toEqual(['true 0', 'false 1']);
});
