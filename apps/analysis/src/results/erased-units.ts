/** How it is said that units were erased. */
export const unitsErased = (units: number): string => `${units} ${units === 1 ? 'unit was' : 'units were'} erased`;
