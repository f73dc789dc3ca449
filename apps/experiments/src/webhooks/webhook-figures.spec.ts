import { expect, it } from '@jest/globals';
import { Metrics } from '@rampart/service-kit';
import { WebhookFigures } from './webhook-figures.js';

it('a delivery that is given up is an increase, though it is the first: every series is there from the start', async () => {
  const metrics = new Metrics('experiments');
  const figures = new WebhookFigures({ waiting: async () => 0 }, metrics);
  const told = async () =>
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('rampart_webhook_tries_total{'))
      .map((line) => line.replace(/^.*outcome="([\w-]+)".* (\d+)$/, '$1 $2'));
  expect(await told()).toEqual(['delivered 0', 'tried-again 0', 'given-up 0']);
  figures.tried('given-up', 0.1);
  expect(await told()).toEqual(['delivered 0', 'tried-again 0', 'given-up 1']);
});
