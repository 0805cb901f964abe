import { keys } from '../platform/keys.ts';
import type { Item, Page, Table, Value } from '../platform/table.ts';

/** What one read unit reads, consistently; read without that promise, as scans are, it is half a unit. */
const UNIT_BYTES = 4096;

/** A table that counts what reading it takes, and does not read again what a scan has just brought. */
export interface MeteredTable {
  readonly table: Table;
  /** Since it was last asked: journals, and read units by the size of the rows, which is about what is paid. */
  take(): { readonly journals: number; readonly readUnits: number };
}

export function meteredTable(table: Table): MeteredTable {
  const scanned = new Map<string, Item>();
  const state = keys.profile('').sk;
  let units = 0;
  let journals = 0;
  const charge = (items: readonly Item[], perUnit: number) => {
    const bytes = items.reduce((sum, item) => sum + bytesOf(item), 0);
    units += Math.max(1, Math.ceil(bytes / UNIT_BYTES)) * perUnit;
  };
  return {
    take: () => {
      const taken = { journals, readUnits: units };
      journals = 0;
      units = 0;
      return taken;
    },
    table: {
      ...table,
      async get(key) {
        const known = key.sk === state ? scanned.get(key.pk) : undefined;
        if (known) return known;
        const item = await table.get(key);
        charge(item ? [item] : [], 1);
        return item;
      },
      async page(pk, range) {
        const page = await table.page(pk, range);
        charge(page.items, 1);
        if (range.after === undefined) journals++;
        return page;
      },
      async scan(part, of, after): Promise<Page> {
        const page = await table.scan(part, of, after);
        charge(page.items, 0.5);
        scanned.clear();
        for (const item of page.items) if (item.sk === state) scanned.set(item.pk, item);
        return page;
      },
    },
  };
}

function bytesOf(value: Value): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return 8;
  if (value === null || typeof value !== 'object') return 1;
  if (Array.isArray(value)) return 3 + value.reduce<number>((sum, it) => sum + 1 + bytesOf(it), 0);
  return Object.entries(value).reduce((sum, [name, it]) => sum + 1 + name.length + bytesOf(it), 0);
}
