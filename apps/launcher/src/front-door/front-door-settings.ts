/** What a front door of its own is told by its environment. */
import { Refusal } from '../refusal.js';
import { type ServiceName, serviceNames } from '../services.js';
import { hostAndPortFrom } from '../settings.js';
import type { Place } from './relay.js';

export interface FrontDoorSettings {
  readonly host: string;
  readonly port: number;
  /** How long it goes on after SIGTERM, unready already. */
  readonly drainMs: number;
  readonly upstreams: Readonly<Partial<Record<ServiceName, readonly Place[]>>>;
}

const nameOf = (service: ServiceName): string => `RAMPART_UPSTREAM_${service.toUpperCase()}`;

const placeFrom = (name: string, text: string): Place => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '')
    throw new Refusal(`${name} has "${text}": give http://host:port, several separated by commas.`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port === '' ? 80 : url.port) };
};

const drainFrom = (text = ''): number => {
  const drainMs = Number(text);
  if (Number.isInteger(drainMs) && drainMs >= 0 && drainMs <= 60_000) return drainMs;
  throw new Refusal(`RAMPART_DRAIN_MS has "${text}": give milliseconds, 0 to 60000.`);
};

export const frontDoorSettingsFrom = (environment: NodeJS.ProcessEnv): FrontDoorSettings => {
  const upstreams = Object.fromEntries(
    serviceNames.flatMap((service) => {
      const texts = (environment[nameOf(service)] ?? '').split(',').map((one) => one.trim());
      const places = texts.filter((one) => one !== '').map((one) => placeFrom(nameOf(service), one));
      return places.length === 0 ? [] : [[service, places]];
    }),
  );
  if (Object.keys(upstreams).length === 0)
    throw new Refusal(`A front door leads to services: give their addresses in ${serviceNames.map(nameOf).join(', ')}.`);
  return { ...hostAndPortFrom(environment), drainMs: drainFrom(environment.RAMPART_DRAIN_MS), upstreams };
};
