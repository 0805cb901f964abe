import { z } from 'zod';
import type { Kept } from '../channels/fetcher.ts';
import type { Source } from '../events/event.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';

const row = z.object({ v: z.int(), body: z.string() });

/** What is kept of one account from one question to the next. Names hold no person's value: digests and vendors' words. */
export const keptStore = (table: Table, { channel, account }: Source): Kept => ({
  async get(name) {
    const item = await table.get(keys.kept(channel, account, name));
    if (!item) return { value: undefined, version: 0 };
    const { v, body } = row.parse(item);
    return { value: z.json().parse(JSON.parse(body)), version: v };
  },
  put(name, value, version) {
    const item = { ...keys.kept(channel, account, name), v: version + 1, body: JSON.stringify(value) };
    return table.put(item, { kind: 'version', version });
  },
});
