import { z } from 'zod';
import { compress, decompress } from '../platform/compressed.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { type Generations, generations } from './generations.ts';

const storedGenerations = z.object({ v: z.int(), body: z.instanceof(Uint8Array) });

/** The settings that credits are told by, in one row. */
export function generationsStore(table: Table) {
  return {
    /** What holds now, and the row's version; version 0 if nothing was ever told. */
    async get(): Promise<{ v: number; state?: Generations }> {
      const row = await table.get(keys.generations());
      if (!row) return { v: 0 };
      const { v, body } = storedGenerations.parse(row);
      return { v, state: generations.parse(decompress(body)) };
    },

    /** Puts another state in the place of the one that was read. @throws ConflictError if somebody else did */
    put: (state: Generations, v: number): Promise<void> =>
      table.put({ ...keys.generations(), v: v + 1, body: compress(state) }, { kind: 'version', version: v }),
  };
}
export type GenerationsStore = ReturnType<typeof generationsStore>;
