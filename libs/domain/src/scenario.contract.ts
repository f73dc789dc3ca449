/** `given(what happened).when(what is asked).then(what happens)`: how deciders are tested. */
import { expect } from '@jest/globals';
import { type Decider, fold } from './decider.js';
import { DomainError } from './errors.js';

export const scenario = <State, Command, Event>(decider: Decider<State, Command, Event>) => {
  const given = (facts: readonly Event[]) => ({
    when: (command: Command) => {
      const attempt = () => decider.decide(command, fold(decider, facts));
      return {
        // biome-ignore lint/suspicious/noThenProperty: nobody awaits a scenario
        then: (expected: readonly Event[]) => expect(attempt()).toEqual(expected),
        /** The refusal's code and, if given, a part of its sentence. */
        thenRefuses: (code: string, sentence: string | RegExp = '') => {
          const refusal = refusalOf(attempt);
          expect(refusal?.code ?? 'accepted').toBe(code);
          expect(refusal?.message).toMatch(sentence);
        },
      };
    },
  });
  return { given };
};

const refusalOf = (attempt: () => unknown): DomainError | undefined => {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
};
