import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type OwnClickhouse, ownClickhouse } from '@rampart/test-engines';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { ClickhouseRowCheck } from './clickhouse-row-check.js';
import { ClickhouseServers } from './clickhouse-servers.js';
import { comparison, erasure, event, exposure } from './examples/rows.examples.js';
import type { PlacedRow } from './feedback-store.js';
import { idHashOf } from './row-identity.js';

jest.setTimeout(60_000);

let servers: OwnClickhouse;

beforeAll(async () => {
  servers = await ownClickhouse();
}, 90_000);
afterAll(() => servers?.stop());

const query = comparison([{}]);
const UNITS = 60;
const world: readonly PlacedRow[] = Array.from({ length: UNITS }, (_, place) => [
  exposure(4 * place + 1, { unit: place + 1, at: 1000 + place, variant: place % 2 === 0 ? 'a' : 'b' }),
  event(4 * place + 2, {
    unit: place + 1,
    at: 1010 + place,
    value: `${place * 1_000_000}`,
    properties: { page: 'bag', price: 7.5, isNew: true },
  }),
  // Of no interest to the comparison.
  event(4 * place + 3, { unit: place + 1, at: 1010 + place, name: 'other' }),
]).flat();
/** Again, as a retry brings them, and one who is erased. */
const log = [
  ...world,
  ...world.slice(0, 20).map((placed) => ({ ...placed, position: placed.position + (1_000n << 12n) })),
  erasure(5_000, { unit: UNITS, at: 3000 }),
];
const range = { sinceUs: 0, untilUs: 10_000, most: 20 };
const hex = (placed: PlacedRow | undefined) => Buffer.from(idHashOf(placed?.row ?? { source: '', id: '' }), 'latin1').toString('hex');

describe.each([
  ['one server', () => ({ url: servers.url.split(',')[0] ?? '', database: 'checked_one' })],
  ['two shards', () => ({ url: servers.url, cluster: servers.cluster, database: 'checked_two' })],
] as const)('the rows of %s held against the log', (_, optionsOf) => {
  /** Of each range. */
  const checked = async (told: readonly PlacedRow[], ranges: readonly Partial<typeof range>[] = [{}]) => {
    const check = new ClickhouseRowCheck(optionsOf(), query, (beside) => new ClickhouseFeedbackStore(beside), 17);
    try {
      await check.prepare();
      await check.tell(told.filter(({ row }) => check.wants(row)));
      const found = [];
      for (const more of ranges) found.push(await check.found({ ...range, ...more }));
      return found;
    } finally {
      await check.close();
    }
  };
  const onEach = async (statement: string) => {
    const all = new ClickhouseServers(optionsOf());
    for (const shard of all.shards) await shard.command(statement);
    await all.close();
  };

  beforeAll(async () => {
    const store = new ClickhouseFeedbackStore(optionsOf());
    await store.reset();
    await store.insert(log.slice(0, 100), []);
    await store.insert(log.slice(90), []);
    await store.close();
  });

  it('are the same, in whatever portions they came, with retries and erasures', async () => {
    const gone = world.at(-1)?.row.unit;
    for (const told of [log, [...log].reverse().filter(({ row }) => row.unit !== gone)]) expect(await checked(told)).toEqual([[]]);
  });

  it('are named where one was altered, removed or added, with what the log has', async () => {
    const [altered, valued, removed] = [world[12], world[16], world[21]];
    const ofRow = (placed: PlacedRow | undefined) =>
      `id_hash = reinterpretAsUInt128(unhex('${hex(placed)}')) AND unit = reinterpretAsUInt128(unhex('${placed?.row.unit}'))`;
    await onEach(`ALTER TABLE exposure UPDATE variant = 'b' WHERE variant = 'a' AND ${ofRow(altered)} SETTINGS mutations_sync = 1`);
    await onEach(`ALTER TABLE feedback UPDATE value = value + 1 WHERE ${ofRow(valued)} SETTINGS mutations_sync = 1`);
    await onEach(`ALTER TABLE exposure DELETE WHERE ${ofRow(removed)} SETTINGS mutations_sync = 1`);
    const store = new ClickhouseFeedbackStore(optionsOf());
    const added = event(9_000, { unit: 7, at: 1500, id: 'nobody sent it' });
    await store.insert([added], []);
    // What nobody asks about is not looked at.
    await onEach(`ALTER TABLE feedback UPDATE value = 3 WHERE ${ofRow(world[2])} SETTINGS mutations_sync = 1`);
    const [found, first, later, earlier] = await checked(log, [{}, { most: 2 }, { sinceUs: 1_600 }, { untilUs: 1_400 }]);
    const at = (placed: PlacedRow | undefined) => ({ unit: placed?.row.unit, idHash: hex(placed), position: placed?.position });
    expect(found).toHaveLength(4);
    expect(found).toEqual(
      expect.arrayContaining([
        { kind: 'altered', ...at(altered), columns: [{ column: 'variant', store: 'b', log: altered?.row.variant }] },
        {
          kind: 'altered',
          ...at(valued),
          columns: [{ column: 'value', store: `${BigInt(valued?.row.value ?? 0) + 1n}`, log: valued?.row.value }],
        },
        { kind: 'missing', ...at(removed), columns: [] },
        { kind: 'too-many', ...at(added), position: null, columns: [] },
      ]),
    );
    expect([first?.length, later?.length, earlier?.length]).toEqual([2, 0, 3]);
    await store.close();
  });

  it('leave nothing behind', async () => {
    const all = new ClickhouseServers(optionsOf());
    for (const shard of all.shards)
      expect(await shard.rows(`SELECT name FROM system.databases WHERE position(name, '_check_') > 0`)).toEqual([]);
    await all.close();
  });
});
