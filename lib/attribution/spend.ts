import { createHash } from 'node:crypto';
import { z } from 'zod';
import { END, keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';

const named = z.string().min(1).max(200);

/** What a brand-day of a channel, or of one of its campaigns, cost. */
export const spendLine = z.strictObject({
  day: z.iso.date(),
  channel: named,
  campaign: named.optional(),
  /** Minor units of the brand's currency. */
  amount: z.int().min(0),
});
export type SpendLine = z.infer<typeof spendLine>;

const stored = z.object(spendLine.shape);

/** One name for a channel and a campaign, whatever characters are in them. */
const lineName = ({ channel, campaign }: SpendLine): string =>
  createHash('sha256')
    .update(JSON.stringify([channel, campaign ?? null]))
    .digest('base64url')
    .slice(0, 16);

/** What was spent, a row a brand-day, channel and campaign: putting it again replaces it. */
export function spendStore(table: Pick<Table, 'put' | 'query'>) {
  return {
    async put({ campaign, ...it }: SpendLine): Promise<void> {
      const line = { ...it, ...(campaign !== undefined && { campaign }) };
      await table.put({ ...keys.spend(it.day, lineName(line)), ...line });
    },

    list: (from: string, to: string) => spendIn(table, from, to),
  };
}
export type SpendStore = ReturnType<typeof spendStore>;

/** What was spent from one brand-day to another, both in, in the order of days. */
export async function spendIn(table: Pick<Table, 'query'>, from: string, to: string): Promise<SpendLine[]> {
  const found: SpendLine[] = [];
  for (let month = from.slice(0, 7); month <= to.slice(0, 7); month = monthAfter(month)) {
    const { pk } = keys.spend(month, '');
    const range = { from: keys.spend(from, '').sk, to: keys.spend(to, END).sk };
    for await (const { pk: _, sk: __, ...row } of table.query(pk, range)) found.push(stored.parse(row));
  }
  return found;
}

function monthAfter(month: string): string {
  const next = new Date(`${month}-01T00:00:00.000Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return next.toISOString().slice(0, 7);
}
