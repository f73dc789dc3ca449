/** Whether and where traces go, by configuration. What is not used is not loaded. */
import type { ServiceConfig } from '../running/service-config.js';
import type { Log } from './log.js';
import { VERSION } from './metrics.js';
import { Tracing } from './tracing.js';

type TracingConfig = Pick<ServiceConfig, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_TRACES_SAMPLER_ARG'>;

export const openTracing = async (service: string, config: TracingConfig, log: Log): Promise<Tracing> => {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = config;
  if (endpoint === undefined) return new Tracing();
  const { otlpSpans } = await import('./otlp-spans.js');
  return new Tracing(otlpSpans({ service, version: VERSION, endpoint, ratio, log }));
};
