/** Batches of records as bytes, one after another, for a log that is kept elsewhere: everything of which offsets, positions and known times are made. */
import type { RawRecord } from './kafka-cluster.js';

type Headers = RawRecord['headers'];

export interface CopiedRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

export interface CopiedBatch {
  readonly partition: number;
  /** Of the batch when it was appended: compaction may have taken its first record. */
  readonly firstOffset: number;
  /** Append time of all its records. */
  readonly timestampMs: number;
  /** In offset order, at least one. */
  readonly records: readonly CopiedRecord[];
}

/** What a file of batches says is not what this wrote. */
const notOurs = () => new RangeError('the copy of the log is not what was written: a batch ends in the middle, or is larger than any');

/** Several times the largest batch that a topic takes, unpacked. */
const longest = 2 ** 28;

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};
/** The length −1 is null. */
const bytesOf = (value: Buffer | null): readonly Buffer[] => (value === null ? [int(-1)] : [int(value.byteLength), value]);

const recordParts = ({ offset, key, value, headers }: CopiedRecord, firstOffset: number): readonly Buffer[] => {
  // A name may be there several times.
  const all = Object.entries(headers).flatMap(([name, told]) =>
    (Array.isArray(told) ? (told as readonly Buffer[]) : [told as Buffer | null | undefined]).map((one) => [name, one ?? null] as const),
  );
  return [
    int(offset - firstOffset),
    ...bytesOf(key),
    ...bytesOf(value),
    int(all.length),
    ...all.flatMap(([name, one]) => [...bytesOf(Buffer.from(name)), ...bytesOf(one)]),
  ];
};

export const batchBytes = ({ partition, firstOffset, timestampMs, records }: CopiedBatch): Buffer => {
  const body = Buffer.concat([
    ...[int(partition), long(firstOffset), long(timestampMs), int(records.length)],
    ...records.flatMap((record) => recordParts(record, firstOffset)),
  ]);
  return Buffer.concat([int(body.byteLength), body]);
};

class Reading {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  int(): number {
    return this.take(4).readInt32BE();
  }

  long(): number {
    return Number(this.take(8).readBigInt64BE());
  }

  nullable(): Buffer | null {
    const length = this.int();
    return length < 0 ? null : this.take(length);
  }

  private take(length: number): Buffer {
    if (this.at + length > this.bytes.byteLength) throw notOurs();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const batchIn = (body: Buffer): CopiedBatch => {
  const reading = new Reading(body);
  const [partition, firstOffset, timestampMs] = [reading.int(), reading.long(), reading.long()];
  const records = Array.from({ length: reading.int() }, (): CopiedRecord => {
    const offset = firstOffset + reading.int();
    const [key, value] = [reading.nullable(), reading.nullable()];
    const headers: Record<string, Buffer | null | (Buffer | null)[]> = {};
    for (let left = reading.int(); left > 0; left -= 1) {
      const name = (reading.nullable() ?? Buffer.alloc(0)).toString();
      const [one, before] = [reading.nullable(), Object.hasOwn(headers, name) ? headers[name] : undefined];
      // Defined, not assigned: a name may be that of what every object has.
      const told = before === undefined ? one : [...(Array.isArray(before) ? before : [before]), one];
      Object.defineProperty(headers, name, { value: told, enumerable: true, configurable: true, writable: true });
    }
    return { offset, key, value, headers: headers as Headers };
  });
  return { partition, firstOffset, timestampMs, records };
};

/** @throws RangeError where the bytes are no batches, or end in the middle of one */
export async function* batchesIn(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<CopiedBatch> {
  let held = Buffer.alloc(0);
  for await (const chunk of bytes) {
    held = held.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    let at = 0;
    while (held.byteLength - at >= 4) {
      const length = held.readInt32BE(at);
      if (length < 24 || length > longest) throw notOurs();
      if (held.byteLength - at < 4 + length) break;
      yield batchIn(held.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    held = held.subarray(at);
  }
  if (held.byteLength > 0) throw notOurs();
}
