import { z } from 'zod';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';

const row = z.object({ told: z.string() });

/** What weeks of the report may be told by. */
export const groupDimensions = ['channel', 'campaign', 'content', 'scene'] as const;

/** What answers about groups are kept by. */
export const toldNames = {
  /** Sizes of tags on a brand-day. */
  tags: (day: number) => `tags ${day}`,
  /** A week of the report, by its Monday. */
  week: (monday: string, by: string, model = '') => `report ${monday} ${by} ${model}`,
};

/**
 * What was told of a group, kept as it was told first: asked again it is the same, whatever has happened since. Two
 * answers that differ by one person would tell of that person. What happens when one of them is erased stands in `told-again.ts`.
 *
 * @param name of all that the answer depends on, but for the people
 * @param until when it may be told anew, in seconds since 1970
 */
export async function toldOnce<T>(
  {
    table,
    name,
    until,
    shape,
  }: {
    readonly table: Pick<Table, 'get' | 'put'>;
    readonly name: string;
    readonly until: number;
    readonly shape: z.ZodType<T>;
  },
  make: () => Promise<T>,
): Promise<T> {
  const key = keys.told(name);
  const kept = async () => {
    const found = row.safeParse(await table.get(key));
    return found.success ? { told: shape.parse(JSON.parse(found.data.told)) } : undefined;
  };
  const before = await kept();
  if (before) return before.told;
  const told = await make();
  try {
    await table.put({ ...key, told: JSON.stringify(told), ttl: until }, { kind: 'absent' });
    return told;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return (await kept())?.told ?? told;
  }
}
