/**
 * Records in a compression that this log can't undo.
 *
 * kafkajs reads gzip only; its refusal of anything else says neither where nor what, and takes the answers about all other partitions with it. So the other
 * codecs are registered here: of a batch in one of them the records come without content, each marked with a secret of this process. Offsets and
 * times stand outside of what is compressed, so known times stay exact, and who may not pass such records can say where they are.
 * So it is with a few kilobytes of gzip that would be gigabytes: they would end every process that reads them, one after the other.
 */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, unzip } from 'node:zlib';
import kafkajs from 'kafkajs';

// Node finds no names for these two in a CommonJS module.
const { CompressionCodecs, CompressionTypes } = kafkajs;

const unread = { [CompressionTypes.Snappy]: 'Snappy', [CompressionTypes.LZ4]: 'LZ4', [CompressionTypes.ZSTD]: 'Zstandard' } as const;
/** Several times what producers put into a batch, and little beside a process's memory. */
const mostBytes = 32 * 2 ** 20;
const packed = promisify(gzip);
const unpacked = promisify<Buffer, { maxOutputLength: number }, Buffer>(unzip);
/** Producers send some thousand; a message of the largest size can't hold so many. */
const mostRecords = 2 ** 18;
const secret = randomBytes(8);
/** The length −1. */
const noValue = 1;

/** Which codec keeps the content of a record from us. */
export const codecOf = ({ key }: { readonly key: Buffer | null }): string | undefined =>
  key !== null && key.length > secret.length && key[0] === secret[0] && key.subarray(0, secret.length).equals(secret)
    ? key.subarray(secret.length).toString()
    : undefined;

/** An integer as Kafka's records have it: zigzag, seven bits a byte. */
const varint = (value: number): readonly number[] => {
  const bytes: number[] = [];
  for (let left = value * 2; ; left >>>= 7) {
    if (left < 0x80) return [...bytes, left];
    bytes.push((left & 0x7f) | 0x80);
  }
};

/** Records 0, 1, 2 … as many as anybody may ask for: attributes, time, offset within the batch, key; no value, no headers. */
const placeholders = (codec: string): Buffer => {
  const key = [...secret, ...Buffer.from(codec)];
  const records = Buffer.alloc(mostRecords * (key.length + 12));
  let at = 0;
  for (let index = 0; index < mostRecords; index += 1) {
    const body = [0, 0, ...varint(index), ...varint(key.length), ...key, noValue, 0];
    for (const byte of [...varint(body.length), ...body]) at = records.writeUInt8(byte, at);
  }
  return records.subarray(0, at);
};

/** Made when they are needed first. */
const recordsIn = (codec: string): (() => Buffer) => {
  let records: Buffer | undefined;
  return () => {
    records ??= placeholders(codec);
    return records;
  };
};

/** For this process. */
export const registerCodecs = (): void => {
  const tooMuch = recordsIn(`gzip to more than ${mostBytes / 2 ** 20} MiB`);
  const decompress = async (content: Buffer) => {
    try {
      return await unpacked(content, { maxOutputLength: mostBytes });
    } catch (error) {
      if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return tooMuch();
      throw error;
    }
  };
  CompressionCodecs[CompressionTypes.GZIP] = () => ({ compress: ({ buffer }: { readonly buffer: Buffer }) => packed(buffer), decompress });
  for (const [type, codec] of Object.entries(unread)) {
    const records = recordsIn(codec);
    const compress = () => Promise.reject(new Error(`This log writes nothing in ${codec}.`));
    CompressionCodecs[Number(type) as keyof typeof unread] = () => ({ compress, decompress: async () => records() });
  }
};
