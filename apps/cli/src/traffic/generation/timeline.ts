/** What is still to be sent, the next first: a binary heap. Equal times leave in the order they came. */

interface Entry<Item> {
  readonly at: number;
  readonly number: number;
  readonly item: Item;
}

export class Timeline<Item> {
  private readonly heap: Entry<Item>[] = [];
  private added = 0;

  get size(): number {
    return this.heap.length;
  }

  /** Infinity when empty. */
  get nextAt(): number {
    return this.heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(at: number, item: Item): void {
    const entry = { at, number: this.added++, item };
    let place = this.heap.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      this.heap[place] = parent;
      place = above;
    }
    this.heap[place] = entry;
  }

  /** @returns undefined when empty */
  take(): Item | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.heap.length > 0) this.sink(last);
    return first.item;
  }

  private sink(entry: Entry<Item>): void {
    const { heap } = this;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        below++;
      }
      if (!isBefore(child, entry)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = entry;
  }
}

const isBefore = (left: Entry<unknown>, right: Entry<unknown>): boolean =>
  left.at < right.at || (left.at === right.at && left.number < right.number);
