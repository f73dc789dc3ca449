/** Where a row stands in its partition, as one number that only rises. */

const generationShift = 56n;
const offsetShift = 12n;
const offsetLimit = 2 ** 44;
const rowLimit = 4096;
/** Positions stay inside a signed 64-bit integer. */
export const greatestGeneration = 127;

/**
 * generation·2⁵⁶ + offset·2¹² + row.
 * @param row  index of the row in its message, 0 … 4095; 0 for a message as a whole
 * @throws RangeError outside the bits that a position has
 */
export const positionOf = (generation: number, offset: number, row = 0): bigint => {
  if (!(Number.isInteger(generation) && generation >= 0 && generation <= greatestGeneration)) {
    throw new RangeError(`generation must be in 0 … ${greatestGeneration}, got ${generation}`);
  }
  if (!(Number.isInteger(offset) && offset >= 0 && offset < offsetLimit))
    throw new RangeError(`offset must be in [0, 2^44), got ${offset}`);
  if (!(Number.isInteger(row) && row >= 0 && row < rowLimit)) throw new RangeError(`row must be in 0 … ${rowLimit - 1}, got ${row}`);
  return (BigInt(generation) << generationShift) + (BigInt(offset) << offsetShift) + BigInt(row);
};

export interface PositionParts {
  readonly generation: number;
  readonly offset: number;
  readonly row: number;
}

/** The inverse of `positionOf`. */
export const partsOfPosition = (position: bigint): PositionParts => ({
  generation: Number(position >> generationShift),
  offset: Number((position >> offsetShift) & (BigInt(offsetLimit) - 1n)),
  row: Number(position & BigInt(rowLimit - 1)),
});
