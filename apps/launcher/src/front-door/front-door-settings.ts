/** What a front door of its own is told by its environment. */
import { Refusal } from '../refusal.js';
import { type ServiceName, serviceNames } from '../services.js';
import { hostAndPortFrom } from '../settings.js';
import type { Place } from './relay.js';

export interface FrontDoorSettings {
  readonly host: string;
  readonly port: number;
  readonly upstreams: Readonly<Partial<Record<ServiceName, readonly Place[]>>>;
}

const nameOf = (service: ServiceName): string => `RAMPART_UPSTREAM_${service.toUpperCase()}`;

const placeFrom = (name: string, text: string): Place => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '')
    throw new Refusal(`${name} has "${text}": give http://host:port, several separated by commas.`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port === '' ? 80 : url.port) };
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
  return { ...hostAndPortFrom(environment), upstreams };
};
