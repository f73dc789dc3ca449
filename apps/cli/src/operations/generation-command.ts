/** `rampart generation`: another generation of the feedback log, with more partitions or as many, of a platform that is stopped. */
import { dataFolder, type Environment, livingRun } from '../platform/places.js';
import { runLauncher } from '../platform/running-platform.js';
import { Refusal, usage } from '../refusal.js';

/** @returns the launcher's exit code. @throws Refusal where the platform runs */
export const openGeneration = async (partitions: string | undefined, environment: Environment): Promise<number> => {
  if (partitions !== undefined && !/^[1-9]\d{0,2}$/.test(partitions))
    throw usage(`--partitions is a number from 1 to 256, not "${partitions}".`);
  const data = dataFolder(environment);
  const run = livingRun(data);
  if (run !== undefined)
    throw new Refusal(`The platform of ${data} runs at ${run.address}: stop it first. Clients send again what it does not take meanwhile.`);
  return runLauncher({ ...environment, RAMPART_DATA: data, RAMPART_GENERATION: partitions ?? 'same' });
};
