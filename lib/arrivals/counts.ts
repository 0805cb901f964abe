import { z } from 'zod';
import { type Event, eventType, type Fault, instant, type Source, type Tally } from '../events/event.ts';
import { dayName } from '../platform/clock.ts';
import type { Calendar } from '../tags/calendar.ts';
import { OTHER } from './tally.ts';

/** What one message of the queue brought. */
export interface Arrival {
  readonly events: readonly Pick<Event, 'type' | 'receivedAt' | 'source'>[];
  readonly faults: readonly Pick<Fault, 'reason' | 'receivedAt' | 'source'>[];
  readonly tally?: Tally | undefined;
  /** Events that came when they were to be kept no more. */
  readonly expired?: readonly Pick<Event, 'receivedAt' | 'source'>[];
}

/** What they are called among what was ignored. */
const EXPIRED = 'expired';

const counts = z.record(z.string(), z.int());

/** What arrived for one account on one brand-day. */
export const accountArrivals = z.object({
  channel: z.string(),
  account: z.string(),
  /** The event that was received last. */
  last: z.object({ receivedAt: instant, type: eventType }).optional(),
  events: z.int(),
  /** Requests that were answered with a refusal, by reason. */
  refused: counts,
  /** What went to quarantine, by reason. */
  faults: counts,
  /** What concerns the brand and no customer, by type. */
  notices: counts,
  /** What the channel has no use for, by the vendor's name; `expired`: events that are too old to be kept. */
  ignored: counts,
});
export type AccountArrivals = z.infer<typeof accountArrivals>;

/** What some messages add to the row of one brand-day. */
export interface Addition {
  readonly day: string;
  /** Numbers are added to what is there, texts take its place. */
  readonly columns: ReadonlyMap<string, number | string>;
}

/** Columns by what they count. One letter: the row is written with every batch, and its names are paid for. */
const LETTERS = { e: 'events', l: 'last', r: 'refused', f: 'faults', n: 'notices', i: 'ignored' } as const;
type Letter = keyof typeof LETTERS;

/** `r wechat-oa/main bad_signature`. */
const column = (letter: Letter, { channel, account }: Source, name?: string): string =>
  `${letter} ${encodeURIComponent(channel)}/${encodeURIComponent(account)}${name === undefined ? '' : ` ${name}`}`;

const columnForm = /^([elrfni]) ([^ /]+)\/([^ /]+)(?: (.+))?$/s;

/**
 * What messages add to each brand-day, by when their requests were received: what is delivered late counts on its own
 * day.
 */
export function additionsOf(arrivals: readonly Arrival[], calendar: Calendar): Addition[] {
  const days = new Map<string, DayColumns>();
  const on = (at: string) => {
    const day = dayName(calendar.brandDay(Date.parse(at)));
    const columns = days.get(day) ?? { sums: new Map(), lasts: new Map() };
    days.set(day, columns);
    return columns;
  };
  for (const { events, faults, tally, expired = [] } of arrivals) {
    for (const { source, receivedAt } of expired) add(on(receivedAt), column('i', source, EXPIRED));
    for (const event of events) addEvent(on(event.receivedAt), event);
    for (const { source, reason, receivedAt } of faults) add(on(receivedAt), column('f', source, reason));
    if (tally) addTally(on(tally.at), tally);
  }
  return [...days].map(([day, { sums, lasts }]) => ({
    day,
    columns: new Map<string, number | string>([...sums, ...lasts]),
  }));
}

interface DayColumns {
  readonly sums: Map<string, number>;
  readonly lasts: Map<string, string>;
}

function add({ sums }: DayColumns, to: string, by = 1): void {
  sums.set(to, (sums.get(to) ?? 0) + by);
}

function addEvent(to: DayColumns, { source, type, receivedAt }: Arrival['events'][number]): void {
  add(to, column('e', source));
  const name = column('l', source);
  const last = `${receivedAt} ${type}`;
  if (last > (to.lasts.get(name) ?? '')) to.lasts.set(name, last);
}

function addTally(to: DayColumns, { source, refused, ignored = {}, notices = {} }: Tally): void {
  if (refused !== undefined) add(to, column('r', source, refused));
  for (const [name, by] of Object.entries(ignored)) add(to, column('i', source, name), by);
  for (const [type, by] of Object.entries(notices)) add(to, column('n', source, type), by);
}

/** So many names of what was ignored or noticed a brand-day's row may hold: a client chooses some of them. */
const MOST_NAMES = 100;

/** The columns that hold a name which a sender chose. */
export const named = (columns: Iterable<string>): string[] =>
  [...columns].filter((column) => /^[in] /.test(column));

/** The same columns, names that would be too many for the row counted together. */
export function bounded(
  columns: Addition['columns'],
  row: Readonly<Record<string, unknown>> = {},
): Addition['columns'] {
  const known = new Set(named(Object.keys(row)));
  const kept = new Map<string, number | string>();
  for (const [column, value] of columns) {
    const isName = named([column]).length > 0;
    if (isName && known.size < MOST_NAMES) known.add(column);
    const to = isName && !known.has(column) ? column.replace(columnForm, `$1 $2/$3 ${OTHER}`) : column;
    const before = kept.get(to);
    kept.set(to, typeof before === 'number' && typeof value === 'number' ? before + value : value);
  }
  return kept;
}

/** An account of which nothing arrived. */
export const nothingOf = ({ channel, account }: Source): AccountArrivals => ({
  channel,
  account,
  events: 0,
  refused: {},
  faults: {},
  notices: {},
  ignored: {},
});

/** What a row's columns say, by account, in the order of their names; other attributes of the row say nothing here. */
export function arrivalsIn(row: Readonly<Record<string, unknown>>): AccountArrivals[] {
  const accounts = new Map<string, AccountArrivals>();
  for (const [name, value] of Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [, letter = '', channel = '', account = '', what] = columnForm.exec(name) ?? [];
    if (!isLetter(letter)) continue;
    const place = `${channel}/${account}`;
    const source = { channel: decodeURIComponent(channel), account: decodeURIComponent(account) };
    const before = accounts.get(place) ?? nothingOf(source);
    accounts.set(place, { ...before, ...said(letter, what, value, before) });
  }
  return [...accounts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it);
}

const isLetter = (text: string): text is Letter => Object.hasOwn(LETTERS, text);

/** What one column says of its account. */
function said(
  letter: Letter,
  name: string | undefined,
  value: unknown,
  before: AccountArrivals,
): Partial<AccountArrivals> {
  if (letter === 'l') {
    const [receivedAt = '', type = ''] = String(value).split(' ');
    return { last: { receivedAt, type } };
  }
  if (typeof value !== 'number') return {};
  if (letter === 'e') return { events: value };
  const field = LETTERS[letter];
  return name === undefined ? {} : { [field]: { ...before[field], [name]: value } };
}
