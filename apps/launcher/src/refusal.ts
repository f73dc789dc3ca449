/** Why the launcher will not go on, as one sentence for the person who started it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
