import { describe, expect, it } from '@jest/globals';
import { redirectOf, targetOf } from './routes.js';

const serviceOf = (method: string, path: string) => targetOf(method, path)?.service;

describe('which service answers', () => {
  it.each([
    ['POST', '/v1/events', 'ingestion'],
    ['POST', '/ofrep/v1/evaluate/flags/checkout', 'assignment'],
    ['OPTIONS', '/ofrep/v1/evaluate/flags', 'assignment'],
    ['POST', '/v1/evaluate/explain', 'assignment'],
    ['GET', '/api/features/rk_a_b', 'assignment'],
    ['POST', '/v1/ingest/validate', 'ingestion'],
    ['POST', '/v1/ingest/dead-letters/42/replay', 'ingestion'],
    ['GET', '/v1/ingest/dead-letters', 'analysis'],
    ['HEAD', '/v1/ingest/stats', 'analysis'],
    ['GET', '/v1/experiments/button/results', 'analysis'],
    ['GET', '/v1/experiments/button/timeseries', 'analysis'],
    ['POST', '/v1/experiments/button/explore', 'analysis'],
    ['POST', '/v1/experiments/button/power', 'analysis'],
    ['GET', '/v1/experiments/button/decisions', 'experiments'],
    ['GET', '/v1/decisions/0a', 'experiments'],
    ['POST', '/v1/decisions/0a/replay', 'analysis'],
    ['POST', '/v1/decisions/0a/rows', 'analysis'],
    ['POST', '/v1/experiments/button/start', 'experiments'],
    ['GET', '/v1/experiments/results', 'experiments'],
    ['GET', '/v1/experiments/button/resultset', 'experiments'],
    ['POST', '/v1/metrics/preview', 'analysis'],
    ['PUT', '/v1/metrics/revenue', 'experiments'],
    ['GET', '/v1/analysis/looks', 'analysis'],
    ['GET', '/v1/events', 'experiments'],
  ])('%s %s: %s', (method, path, service) => {
    expect(serviceOf(method, path)).toBe(service);
  });

  it('is nobody outside /v1 but for the pages of a service', () => {
    expect(targetOf('GET', '/')).toBeUndefined();
    expect(targetOf('GET', '/readyz')).toBeUndefined();
    expect(targetOf('GET', '/docs/elsewhere/docs')).toBeUndefined();
  });

  it('finds the pages of a service without their prefix', () => {
    expect(targetOf('GET', '/docs/analysis/docs')).toEqual({ service: 'analysis', path: '/docs' });
    expect(targetOf('GET', '/docs/analysis/docs/swagger-ui.css')).toEqual({ service: 'analysis', path: '/docs/swagger-ui.css' });
    expect(targetOf('GET', '/docs/ingestion/docs-json')).toEqual({ service: 'ingestion', path: '/docs-json' });
    expect(targetOf('GET', '/metrics/experiments')).toEqual({ service: 'experiments', path: '/metrics' });
    expect(targetOf('GET', '/diagnostics/analysis-2')).toEqual({ service: 'analysis', path: '/diagnostics', process: 2 });
    for (const path of ['/metrics/analysis-0', '/metrics/analysis-', '/metrics/analysis-2/more', '/metrics/elsewhere-1'])
      expect(targetOf('GET', path)).toBeUndefined();
  });

  it('leads the short name of the pages to the long one', () => {
    expect(redirectOf('/docs/analysis/')).toBe('/docs/analysis/docs');
    expect(redirectOf('/docs')).toBe('/status#api');
    expect(redirectOf('/docs/elsewhere')).toBeUndefined();
  });
});
