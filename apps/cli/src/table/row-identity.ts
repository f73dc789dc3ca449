/**
 * What makes a row the same row wherever it stands in the file: the hash of its cells, and the how-manieth of its kind it is.
 * A shuffled file, or the same file again, has the same identities.
 */
import { hash } from 'node:crypto';

/** @param order  positions of the cells in the order of their columns' names: moving a column changes nothing */
export const rowHash = (planKey: string, cells: readonly string[], order: readonly number[]): Buffer =>
  hash('sha256', `${planKey}\n${JSON.stringify(order.map((index) => cells[index]))}`, 'buffer');

export const canonicalOrder = (header: readonly string[]): readonly number[] =>
  header.map((_, index) => index).sort((left, right) => ((header[left] ?? '') < (header[right] ?? '') ? -1 : 1));

/** Short text of a row's hash: 128 bits. */
export const hashText = (digest: Buffer): string => digest.toString('base64url', 0, 16);

const WORDS = 4;

/** Counts rows by hash in 16 bytes each (96 bits of the hash, so that ten million rows collide with a chance of 10⁻¹⁵). */
export class Occurrences {
  private slots: Uint32Array;
  private used = 0;

  constructor(private capacity = 1 << 16) {
    this.slots = new Uint32Array(capacity * WORDS);
  }

  /** @returns 1 for the first row with this hash, 2 for the second … */
  next(digest: Buffer): number {
    if (this.used * 4 > this.capacity * 3) this.grow();
    return this.add(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), 1);
  }

  private add(a: number, b: number, c: number, count: number): number {
    const { slots } = this;
    for (let slot = a & (this.capacity - 1); ; slot = (slot + 1) & (this.capacity - 1)) {
      const at = slot * WORDS;
      const seen = slots[at + 3] ?? 0;
      if (seen === 0) {
        slots.set([a, b, c, count], at);
        this.used++;
        return count;
      }
      if (slots[at] !== a || slots[at + 1] !== b || slots[at + 2] !== c) continue;
      slots[at + 3] = seen + count;
      return seen + count;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.capacity *= 2;
    this.slots = new Uint32Array(this.capacity * WORDS);
    this.used = 0;
    for (let at = 0; at < old.length; at += WORDS) {
      const count = old[at + 3] ?? 0;
      if (count > 0) this.add(old[at] ?? 0, old[at + 1] ?? 0, old[at + 2] ?? 0, count);
    }
  }
}
