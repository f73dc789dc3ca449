/** What a person is told when a command cannot do its work: a sentence with a next step, and the exit code (1 = it failed, 2 = it was asked wrongly). */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

export const usage = (message: string): Refusal => new Refusal(message, 2);
