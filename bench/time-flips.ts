// What a tag costs that changes because time passed, among a hundred thousand profiles that stay as they are.
import { loadBrand } from '../infra/brands/load.ts';
import { startRun } from '../infra/local/brand-run.ts';
import { DAY, HOUR, MINUTE, SECOND, toIso } from '../lib/platform/clock.ts';
import { DUE_SHARDS, keys, shardOf } from '../lib/platform/keys.ts';
import type { Item, Key, Table } from '../lib/platform/table.ts';
import { memoryTable } from '../test/platform/memory.ts';
import { dice } from './dice.ts';
import { atMost, type Figure, type Measured } from './figure.ts';
import type { Call } from './metered.ts';
import { customers } from './people.ts';
import { openPipeline } from './pipeline.ts';
import { senders } from './requests.ts';
import { whereUnitsGo } from './where.ts';

const QUIET = 100_000;
const FLIPPING = 500;
const QUIET_NAME = 'quiet';
const AT = Date.parse('2026-08-01T12:00:00+08:00');

export const timeFlips: Figure = {
  name: 'time-flips',
  kind: 'count',
  async measure() {
    const many = await amongMany();
    const one = await throughTheStack();
    return { rows: [...many.rows, ...one.rows], details: [...many.details, ...one.details] };
  },
};

/** One act that earns `cart_abandoner` for 48 hours. */
const added = (who: { readonly browsers: readonly string[] }, at: number, id: string) => ({
  by: 'web' as const,
  at,
  call: {
    type: 'track',
    event: 'Product Added',
    messageId: id,
    anonymousId: who.browsers[0],
    timestamp: toIso(at),
    properties: { product_id: 'serum', quantity: 1 },
  },
});

async function amongMany(): Promise<Measured> {
  const brand = loadBrand('demo');
  const store = memoryTable();
  let touched = 0;
  const pipeline = openPipeline({ brand, store: watched(store, () => touched++) });
  const send = senders(brand);
  pipeline.at(AT);
  const people = customers(FLIPPING, dice(3));
  for (const [i, who] of people.entries())
    await pipeline.events(await pipeline.capture([send.single(added(who, AT - SECOND, `a${i}`), AT)]));
  await pipeline.conversions();
  await addQuiet(store.put, store.rows());

  const reads = (calls: readonly Call[]) => calls.filter(({ operation }) => isRead(operation)).length;
  const writes = (calls: readonly Call[]) => calls.filter(({ operation }) => !isRead(operation)).length;

  // An hour before the windows end nothing is due; then all of them end at once.
  pipeline.at(AT + 47 * HOUR);
  const { calls: idle } = await pipeline.tick();
  pipeline.at(AT + 48 * HOUR);
  const { calls: flip } = await pipeline.tick();
  pipeline.at(AT + 48 * HOUR + MINUTE);
  const { calls: after } = await pipeline.tick();
  const flipped = flips(store.rows());
  const perFlip = (count: number) => count / flipped;
  const two = (it: number) => it.toFixed(2);
  return {
    rows: [
      atMost(`reads per tag that flips by time, ${QUIET} quiet profiles`, perFlip(reads(flip)), 3, two),
      atMost('writes per tag that flips by time', perFlip(writes(flip)), 3, two),
      atMost('reads and writes of quiet profiles', touched, 0, String),
    ],
    details: [
      `${flipped} tags of ${FLIPPING} profiles flip in one tick; a tick in which nothing is due: ${idle.length} requests (one for each of ${DUE_SHARDS} shards of the index), before and after alike (${after.length})`,
      ...whereUnitsGo('per flip', flip, flipped),
    ],
  };
}

const isRead = (operation: Call['operation']): boolean =>
  operation !== 'put' && operation !== 'add' && operation !== 'remove';

/** The table, noting whenever a quiet profile's row is read or written. */
function watched(store: Table, touch: () => void): Table {
  const look = (key: Key) => key.pk.startsWith(keys.profile(QUIET_NAME).pk) && touch();
  return {
    ...store,
    get(key) {
      look(key);
      return store.get(key);
    },
    put(item, guard) {
      look(item);
      return store.put(item, guard);
    },
  };
}

/** How many profiles lost the tag. */
function flips(rows: readonly Item[]): number {
  return rows.filter(({ pk, gone }) => pk.startsWith('T#cart_abandoner#') && gone === true).length;
}

/** Copies of a profile's row under other names, due at some time within the next half year but not soon. */
async function addQuiet(put: (item: Item) => Promise<void>, rows: readonly Item[]): Promise<void> {
  const patterns = rows.filter(({ pk, sk, s }) => pk.startsWith('P#') && sk === '@' && s !== undefined);
  for (let i = 0; i < QUIET; i++) {
    const pattern = patterns[i % patterns.length];
    if (!pattern) throw new Error('there is no profile to copy');
    const id = `${QUIET_NAME}${i}`;
    const due = toIso(AT + 10 * DAY + (i % (170 * 24)) * HOUR);
    await put({ ...pattern, ...keys.profile(id), w: keys.due(shardOf(id, DUE_SHARDS)), due });
  }
}

/** The same for one profile on the real way: schedule, function, DynamoDB's own protocol. */
async function throughTheStack(): Promise<Measured> {
  const run = await startRun({ brand: 'demo', clockAt: AT });
  try {
    const [who] = customers(1, dice(4));
    const sentAt = run.clock.now();
    const { path, headers, body } = senders(run.brand).single(added(who!, sentAt, 'one'), sentAt);
    await fetch(`${run.url}${path}`, { method: 'POST', headers, body });
    await run.idle();
    await run.clock.walkTo(sentAt + 48 * HOUR - 2 * MINUTE);
    await run.idle();
    run.resetLedger();
    await run.clock.walkTo(sentAt + 48 * HOUR + 2 * MINUTE);
    await run.idle();
    const calls = run.ledger().stages.tags?.dynamodb ?? [];
    const own = calls.filter(({ rows }) => rows === 'P#@' || rows.startsWith('T#'));
    const count = (isOne: (operation: string) => boolean) =>
      own.filter(({ operation }) => isOne(operation)).reduce((sum, { requests }) => sum + requests, 0);
    const reads = count((operation) => operation === 'GetItem' || operation === 'Query');
    const writes = count((operation) => operation === 'PutItem');
    return {
      rows: [
        {
          figure: 'reads + writes of one flip through the stack',
          value: `${reads} + ${writes}`,
          bar: '≤ 3 + 3',
          ok: reads <= 3 && writes <= 3 && writes > 0,
          numbers: { reads, writes },
        },
      ],
      details: calls.map(
        ({ operation, rows, requests, readUnits, writeUnits, indexWriteUnits }) =>
          `through the stack, five ticks: ${operation} ${rows} requests ${requests} read units ${readUnits} write units ${writeUnits} index ${indexWriteUnits}`,
      ),
    };
  } finally {
    await run.stop();
  }
}
