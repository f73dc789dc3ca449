import { infraModule } from './infra-modules.js';

interface Ports {
  freePorts(count: number): Promise<readonly number[]>;
}

/** On 127.0.0.1, and such that no outgoing connection gets it while its server is away. */
export const freePort = async (): Promise<number> => {
  const { freePorts }: Ports = await infraModule('free-ports.mjs');
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port');
  return port;
};
