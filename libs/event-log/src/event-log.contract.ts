/** What an adapter must do to be a log; run it for every one. */
import { afterAll, beforeAll, describe } from '@jest/globals';
import { appendContract, knownTimeContract, tickContract, topicContract } from './contract/appending.contract.js';
import { deliveryContract, growthContract, resumeContract } from './contract/consuming.contract.js';
import { deferringContract } from './contract/deferring.contract.js';
import { compactionContract, followContract } from './contract/following.contract.js';
import type { LogHarness } from './contract/harness.js';

export const eventLogContract = (name: string, create: () => Promise<LogHarness>): void =>
  describe(name, () => {
    let harness: LogHarness | undefined;
    const current = (): LogHarness => {
      if (harness === undefined) throw new Error('The log could not be made: see the failure of beforeAll.');
      return harness;
    };
    beforeAll(async () => {
      harness = await create();
    });
    afterAll(async () => harness?.dispose());
    for (const part of [
      topicContract,
      appendContract,
      knownTimeContract,
      tickContract,
      deliveryContract,
      deferringContract,
      growthContract,
      resumeContract,
      followContract,
      compactionContract,
    ]) {
      part(current);
    }
  });
