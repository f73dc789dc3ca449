/** A generation begins, in each partition, with a tick that names it: every reader passes it at the same offset. */
import { TICK_HEADER } from '@rampart/contracts';

const header = 'rampart-generation';

export interface GenerationMarker {
  readonly generation: number;
  /** The greatest known time of any partition before it, in microseconds. */
  readonly aboveUs: number;
}

export const markerHeaders = ({ generation, aboveUs }: GenerationMarker): Readonly<Record<string, string>> => ({
  [TICK_HEADER]: '1',
  [header]: `${generation}:${aboveUs}`,
});

export const generationHeader = (
  headers: Readonly<Record<string, Buffer | readonly Buffer[] | undefined>>,
): GenerationMarker | undefined => {
  const value = headers[header];
  if (!Buffer.isBuffer(value)) return undefined;
  const [generation, aboveUs] = value.toString().split(':').map(Number);
  return Number.isSafeInteger(generation) && Number.isSafeInteger(aboveUs)
    ? { generation: generation ?? 0, aboveUs: aboveUs ?? 0 }
    : undefined;
};
