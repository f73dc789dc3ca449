/** PostgreSQL arrays in the wire's binary format: an array of Buffers would travel as hexadecimal text, at half the speed. */

const oids = { int4: 23, text: 25, bytea: 17 } as const;
const headerBytes = 20;

const header = (buffer: Buffer, oid: number, count: number, hasNull: boolean): number => {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNull ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return headerBytes;
};

export const int4Array = (values: readonly number[]): Buffer => {
  const buffer = Buffer.allocUnsafe(headerBytes + values.length * 8);
  let at = header(buffer, oids.int4, values.length, false);
  for (const value of values) {
    at = buffer.writeInt32BE(4, at);
    at = buffer.writeInt32BE(value, at);
  }
  return buffer;
};

export type Bytes = string | Uint8Array | null;

export const byteLength = (value: Bytes): number => {
  if (value === null) return 0;
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
};

/** Strings as UTF-8. */
export const bytesArray = (type: 'text' | 'bytea', values: readonly Bytes[]): Buffer => {
  let size = headerBytes;
  for (const value of values) size += 4 + byteLength(value);
  const buffer = Buffer.allocUnsafe(size);
  let at = header(buffer, oids[type], values.length, values.includes(null));
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
    } else if (typeof value === 'string') {
      const written = buffer.write(value, at + 4);
      buffer.writeInt32BE(written, at);
      at += 4 + written;
    } else {
      at = buffer.writeInt32BE(value.byteLength, at);
      buffer.set(value, at);
      at += value.byteLength;
    }
  }
  return buffer;
};
