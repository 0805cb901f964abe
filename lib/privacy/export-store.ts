import { z } from 'zod';
import { SECOND } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';
import { type BulkExport, bulkExport, OPEN_MS, openUntil } from './export.ts';

const row = z.object({ export: z.string(), v: z.int() });

/** Exports until a day after their last step: then only the audit log knows of them. */
export function exportStore(table: Table) {
  return {
    /** @throws RejectedError 404 if there is none, or its time is over */
    async get(id: string): Promise<{ readonly it: BulkExport; readonly version: number }> {
      const found = row.safeParse(await table.get(keys.bulkExport(id)));
      if (!found.success)
        throw new RejectedError('not_found', 'no export has this id, or its time is over', 404);
      return { it: bulkExport.parse(JSON.parse(found.data.export)), version: found.data.v };
    },

    /** @param version the version that was read; 0: it is new. @throws ConflictError if it has another by now */
    async put(it: BulkExport, version: number): Promise<void> {
      const ttl = Math.ceil((openUntil(it) + OPEN_MS) / SECOND);
      await table.put(
        { ...keys.bulkExport(it.id), export: JSON.stringify(it), v: version + 1, ttl },
        { kind: 'version', version },
      );
    },
  };
}
