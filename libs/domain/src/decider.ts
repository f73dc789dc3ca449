/** The shape of every rule: what may be asked, what happens then, what is true after it. Pure: time, ids, chance and the actor arrive in the command. */

export interface Decider<State, Command, Event> {
  readonly initialState: State;
  /** @throws DomainError when the command is refused; an empty list means that nothing had to change */
  decide(command: Command, state: State): readonly Event[];
  /** Never throws and never validates: it happened. */
  evolve(state: State, event: Event): State;
}

/** @returns the state after all of `events`, in their order */
export const fold = <State, Command, Event>(
  { evolve, initialState }: Decider<State, Command, Event>,
  events: readonly Event[],
  from: State = initialState,
): State => events.reduce(evolve, from);

/** Ends an exhaustive switch: a new case that is not handled fails to compile. */
export const unreachable = (value: never): never => {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
};
