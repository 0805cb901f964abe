// Tables that fail when a test says so.
import type { Table } from '../../lib/platform/table.ts';
import type { MemoryTable } from '../platform/memory.ts';

/** Fails each read or write of which the test says so, before it happens. */
export const failingOn =
  (fails: (pk: string, verb: 'get' | 'put' | 'remove') => boolean) =>
  (rows: MemoryTable): Table => ({
    ...rows,
    async get(key) {
      if (fails(key.pk, 'get')) throw new Error('no table today');
      return rows.get(key);
    },
    async put(item, guard) {
      if (fails(item.pk, 'put')) throw new Error('no table today');
      await rows.put(item, guard);
    },
    async remove(key, guard) {
      if (fails(key.pk, 'remove')) throw new Error('no table today');
      await rows.remove(key, guard);
    },
  });

/** Crashes once, before or after the write with this number (from 0). */
export function crashingAt(write: number, when: 'before' | 'after') {
  let writes = 0;
  return {
    crashed: () => writes > write,
    through: (rows: MemoryTable): Table => {
      const crash = async (work: () => Promise<void>) => {
        const here = writes++ === write;
        if (here && when === 'before') throw new Error('crash before');
        await work();
        if (here && when === 'after') throw new Error('crash after');
      };
      return {
        ...rows,
        put: (item, guard) => crash(() => rows.put(item, guard)),
        remove: (key, guard) => crash(() => rows.remove(key, guard)),
      };
    },
  };
}
