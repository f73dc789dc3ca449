/** Who is set apart before any experiment is asked: layers and holdouts of a project, overrides of an environment. What happened to one, and what is true then. */

export interface Layer {
  readonly key: string;
  readonly name: string;
  readonly unitType: string;
  /** Made once: with another one every unit would move. */
  readonly seed: string;
}

export interface Holdout extends Layer {
  /** Of all units. */
  readonly share: number;
  /** Absent: every feature. */
  readonly features?: readonly string[] | undefined;
}

export interface Override {
  readonly key: string;
  readonly feature: string;
  readonly variant: string;
  readonly unitType: string;
  readonly units?: readonly string[] | undefined;
  readonly condition?: Readonly<Record<string, unknown>> | undefined;
}

export type AllocationEvent =
  | { readonly type: 'LayerDefined'; readonly definition: Layer; readonly atUs: number }
  | { readonly type: 'HoldoutDefined'; readonly definition: Holdout; readonly atUs: number }
  | { readonly type: 'HoldoutEnded'; readonly atUs: number }
  | { readonly type: 'OverrideDefined'; readonly environment: string; readonly definition: Override; readonly atUs: number }
  | { readonly type: 'OverrideRemoved'; readonly environment: string; readonly atUs: number };

interface Kept {
  /** False once it was ended or removed. */
  readonly isActive: boolean;
}

/** A stream holds one of them. */
export type Allocation =
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'layer'; readonly definition: Layer } & Kept)
  | ({ readonly kind: 'holdout'; readonly definition: Holdout } & Kept)
  | ({ readonly kind: 'override'; readonly environment: string; readonly definition: Override } & Kept);

export const initialAllocation: Allocation = { kind: 'absent' };

export const evolveAllocation = (state: Allocation, event: AllocationEvent): Allocation => {
  switch (event.type) {
    case 'LayerDefined':
      return { kind: 'layer', definition: event.definition, isActive: true };
    case 'HoldoutDefined':
      return { kind: 'holdout', definition: event.definition, isActive: true };
    case 'OverrideDefined':
      return { kind: 'override', environment: event.environment, definition: event.definition, isActive: true };
    case 'HoldoutEnded':
    case 'OverrideRemoved':
      return state.kind === 'absent' ? state : { ...state, isActive: false };
  }
};
