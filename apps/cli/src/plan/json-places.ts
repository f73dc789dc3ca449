/** JSON that remembers where each value stands, so that a wrong plan can be answered with line and column. */
import { usage } from '../refusal.js';

export interface PlacedJson {
  readonly value: unknown;
  /** Offset of the value at a path such as `/arms/cells/0`; for an object's field, of its name. */
  readonly offsets: ReadonlyMap<string, number>;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** @returns line and column, both counted from 1 */
export const placeOf = (text: string, offset: number): Place => {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
};

/** @throws Refusal with file, line and column where the text is no JSON */
export const parsePlacedJson = (text: string, file: string): PlacedJson => {
  const reader = new Reader(text, file);
  const value = reader.document();
  return { value, offsets: reader.offsets };
};

const LITERALS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Reader {
  readonly offsets = new Map<string, number>();
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {
    if (text.startsWith('\uFEFF')) this.at = 1;
  }

  document(): unknown {
    const value = this.value('');
    this.space();
    if (this.at < this.text.length) this.fail('nothing more', this.at);
    return value;
  }

  private value(path: string): unknown {
    this.space();
    if (!this.offsets.has(path)) this.offsets.set(path, this.at);
    const char = this.text[this.at];
    if (char === '{') return this.object(path);
    if (char === '[') return this.array(path);
    if (char === '"') return this.string();
    for (const [word, value] of LITERALS)
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    return this.number();
  }

  private object(path: string): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    this.list('}', () => {
      const start = this.at;
      if (this.text[start] !== '"') this.fail('a field name in double quotes', start);
      const name = this.string();
      const below = `${path}/${name}`;
      if (Object.hasOwn(fields, name)) this.fail(`another name ("${name}" is there already)`, start);
      this.offsets.set(below, start);
      this.space();
      this.take(':');
      Object.defineProperty(fields, name, { value: this.value(below), enumerable: true, writable: true, configurable: true });
    });
    return fields;
  }

  private array(path: string): readonly unknown[] {
    const items: unknown[] = [];
    this.list(']', () => items.push(this.value(`${path}/${items.length}`)));
    return items;
  }

  private list(end: string, item: () => void): void {
    this.at++;
    this.space();
    if (this.text[this.at] === end) {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      item();
      this.space();
      if (this.text[this.at] !== ',') break;
      this.at++;
    }
    this.take(end);
  }

  private string(): string {
    const match = /"(?:[^"\\\n]|\\.)*"/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text)?.[0];
    if (found === undefined) return this.fail('a closing double quote', this.at);
    this.at += found.length;
    try {
      return String(JSON.parse(found));
    } catch {
      return this.fail('a text with valid escapes', this.at - found.length);
    }
  }

  private number(): number {
    const match = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text)?.[0];
    if (found === undefined || found === '') return this.fail('a value', this.at);
    this.at += found.length;
    return Number(found);
  }

  private take(char: string): void {
    if (this.text[this.at] !== char) this.fail(`"${char}"`, this.at);
    this.at++;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private fail(expected: string, offset: number): never {
    const { line, column } = placeOf(this.text, offset);
    const found = offset >= this.text.length ? 'the end of the file' : `"${this.text[offset]}"`;
    throw usage(`${this.file}:${line}:${column}: this is no JSON: expected ${expected}, found ${found}.`);
  }
}
