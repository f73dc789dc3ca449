/** Whether this process should get requests: every check must agree, and each one that doesn't says why. */

/** @returns why this part is not ready, or undefined when it is */
export type ReadinessCheck = () => Promise<string | undefined> | string | undefined;

const CHECK_TIMEOUT_MS = 2_000;

export class Readiness {
  private readonly checks = new Map<string, ReadinessCheck>();
  private readonly noted = new Map<string, ReadinessCheck>();

  add(name: string, check: ReadinessCheck): void {
    if (this.checks.has(name)) throw new RangeError(`the readiness check ${name} exists already`);
    this.checks.set(name, check);
  }

  /** Said beside the answer, whatever that is: what is wrong here, and would not get better by taking this process away. */
  note(name: string, check: ReadinessCheck): void {
    this.noted.set(name, check);
  }

  /** @returns sentences by name; empty when there is nothing to say */
  async notes(): Promise<Readonly<Record<string, string>>> {
    return answersOf(this.noted);
  }

  /** @returns reasons by check name; empty when ready */
  async reasons(): Promise<Readonly<Record<string, string>>> {
    return answersOf(this.checks);
  }
}

const answersOf = async (checks: ReadonlyMap<string, ReadinessCheck>): Promise<Readonly<Record<string, string>>> => {
  const answers = await Promise.all([...checks].map(async ([name, check]) => [name, await answerOf(check)] as const));
  return Object.fromEntries(answers.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason]])));
};

const answerOf = async (check: ReadinessCheck): Promise<string | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`did not answer within ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), tooSlow]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
};
