import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { readCsv } from './csv-rows.js';

const read = async (text: string) => {
  const { header, rows } = await readCsv(Readable.from([Buffer.from(text)]), 'file.csv');
  const found: { line: number; cells: string[] }[] = [];
  for await (const row of rows) found.push(row);
  return { header, rows: found };
};

describe('a CSV file', () => {
  it('may have CR LF, LF, quotes, line breaks in cells and a byte-order mark', async () => {
    expect(await read('\uFEFFa,b\r\n1,"x\ny"\r\n2,"say ""hi"""\n3,')).toEqual({
      header: ['a', 'b'],
      rows: [
        { line: 2, cells: ['1', 'x\ny'] },
        { line: 4, cells: ['2', 'say "hi"'] },
        { line: 5, cells: ['3', ''] },
      ],
    });
  });

  it('hands rows of another length on: the caller knows what to say', async () => {
    expect((await read('a,b\n1\n2,3,4\n')).rows.map(({ cells }) => cells.length)).toEqual([1, 3]);
  });

  it('is refused where it is empty, or names a column twice', async () => {
    await expect(read('')).rejects.toThrow('file.csv is empty');
    await expect(read('a,a\n')).rejects.toThrow('the column "a" is there twice');
  });

  it('is refused at the line where a quote never ends', async () => {
    await expect(read('a,b\n1,2\n3,"4\n5,6\n')).rejects.toThrow(/^file\.csv:\d+: this is no CSV/);
  });
});
