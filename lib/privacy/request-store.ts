import { z } from 'zod';
import { DAY } from '../platform/clock.ts';
import { compress, decompress } from '../platform/compressed.ts';
import { RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import { type PrivacyRequest, privacyRequest } from './request.ts';

const LONG_AGO_MS = 90 * DAY;

const row = z.object({ v: z.int(), body: z.instanceof(Uint8Array) });

export interface StoredRequest {
  readonly it: PrivacyRequest;
  readonly version: number;
}

const read = (item: Item): StoredRequest => {
  const { v, body } = row.parse(item);
  return { it: privacyRequest.parse(decompress(body)), version: v };
};

/** What was asked in persons' names. It stays: that it was done has to be proven for years, by digests. */
export function requestStore(table: Table) {
  return {
    /** @throws RejectedError 404 if there is none */
    async get(id: string): Promise<StoredRequest> {
      const item = await table.get(keys.privacyRequest(id));
      if (!item) throw new RejectedError('not_found', 'no request has this id', 404);
      return read(item);
    },

    /** @param version the version that was read; 0: it is new. @throws ConflictError if it has another by now */
    async put(it: PrivacyRequest, version: number): Promise<void> {
      await table.put(
        { ...keys.privacyRequest(it.id), v: version + 1, body: compress(it) },
        { kind: 'version', version },
      );
    },

    /** A page, the newest first. */
    async list(limit: number, after?: string): Promise<{ items: PrivacyRequest[]; next?: string }> {
      const { pk } = keys.privacyRequest('');
      const { items, next } = await table.page(pk, { newestFirst: true, limit, ...(after && { after }) });
      return { items: items.map((item) => read(item).it), ...(next && { next }) };
    },

    /** What the clock sees to, the newest first. What is older was looked at for months: an alarm has said so each time. */
    async *recent(now: number): AsyncGenerator<PrivacyRequest> {
      for (let after: string | undefined; ; ) {
        const { items, next } = await this.list(100, after);
        yield* items;
        const oldest = items.at(-1)?.asked.at ?? '';
        if (next === undefined || Date.parse(oldest) + LONG_AGO_MS < now) return;
        after = next;
      }
    },
  };
}
export type RequestStore = ReturnType<typeof requestStore>;
