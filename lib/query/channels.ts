import { z } from 'zod';
import { type AccountArrivals, accountArrivals, nothingOf } from '../arrivals/counts.ts';
import { ARRIVAL_DAYS, arrivalStore } from '../arrivals/store.ts';
import type { Brand } from '../platform/brand.ts';
import { dayName } from '../platform/clock.ts';
import { whoMay } from '../privacy/roles.ts';
import { type Answered, answered, type QueryDeps } from './route.ts';
import { dayOf, moment } from './span.ts';

const accountView = accountArrivals.extend({
  /** Where its senders send to; none if it is no account of the brand (any more). */
  paths: z.array(z.string()),
});

export const channelRoutes: readonly Answered[] = [
  answered(
    {
      method: 'GET',
      path: '/channels',
      roles: whoMay('groups'),
      summary:
        'What arrives, by account: the last event, and events, refusals, faults, notices and what was ignored on a brand-day',
      query: z.strictObject({
        /** A brand-day; today unless said. */
        day: moment.optional(),
      }),
      answer: z.object({ day: z.iso.date(), channels: z.array(accountView) }),
    },
    async ({ query }, deps) => {
      const { book } = await deps.rules();
      const day = query.day ? dayOf(query.day, book.calendar) : book.calendar.brandDay(deps.now());
      const store = arrivalStore(deps.table, book.calendar);
      const arrived = allOf(await store.get(dayName(day)), deps.brand);
      const placed = arrived.map((it) => ({ ...it, paths: pathsOf(it, deps) }));
      if (placed.every(({ last }) => last)) return { day: dayName(day), channels: placed };
      const before = await lastBefore(day, store);
      const channels = placed.map((it) => ({ ...it, last: it.last ?? before.get(placeOf(it)) }));
      return { day: dayName(day), channels };
    },
  ),
];

const placeOf = ({ channel, account }: Pick<AccountArrivals, 'channel' | 'account'>) =>
  `${channel}/${account}`;

/** The accounts of the brand, in its own order, and behind them those that only the counts know. */
function allOf(arrived: readonly AccountArrivals[], brand: Brand): AccountArrivals[] {
  const known = new Map<string, AccountArrivals>();
  for (const [channel, accounts] of Object.entries(brand.channels)) {
    for (const account of Object.keys(accounts)) {
      const nothing = nothingOf({ channel, account });
      known.set(placeOf(nothing), nothing);
    }
  }
  for (const it of arrived) known.set(placeOf(it), it);
  return [...known.values()];
}

/** Where the senders of an account send to. */
function pathsOf(it: AccountArrivals, { brand, ownPaths }: Pick<QueryDeps, 'brand' | 'ownPaths'>) {
  const accounts = Object.hasOwn(brand.channels, it.channel) ? brand.channels[it.channel] : undefined;
  if (!accounts || !Object.hasOwn(accounts, it.account)) return [];
  const own = Object.hasOwn(ownPaths, it.channel) ? ownPaths[it.channel] : undefined;
  return own ?? [`/webhooks/${placeOf(it)}`];
}

/** The last event of each account before a brand-day, as far back as counts are kept: a read unit or so for each day. */
async function lastBefore(
  day: number,
  store: ReturnType<typeof arrivalStore>,
): Promise<Map<string, AccountArrivals['last']>> {
  const days = Array.from({ length: ARRIVAL_DAYS }, (_, i) => dayName(day - ARRIVAL_DAYS + i));
  const found = new Map<string, AccountArrivals['last']>();
  for (const accounts of await Promise.all(days.map((name) => store.get(name))))
    for (const it of accounts) if (it.last) found.set(placeOf(it), it.last);
  return found;
}
