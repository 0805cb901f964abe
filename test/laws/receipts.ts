import { expect } from 'vitest';
import { z } from 'zod';
import { type EventsMessage, eventsMessage } from '../../lib/events/event.ts';
import { nameOf } from '../../lib/identity/graph.ts';
import { AUDIT, CONVERSION, keys, SEGMENT } from '../../lib/platform/keys.ts';
import type { Message } from '../../lib/platform/sqs.ts';
import type { Item } from '../../lib/platform/table.ts';
import type { Plan } from '../../lib/privacy/erase.ts';
import { type PrivacyRequest, sealed } from '../../lib/privacy/request.ts';
import { requestStore } from '../../lib/privacy/request-store.ts';
import { describeTable } from '../../lib/profile/digest.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { takenIn } from './left.ts';
import { type AskedWorld, openedRows, type Planned } from './requested.ts';
import { isTheirs, type Unread } from './unread.ts';
import type { Case } from './verdict.ts';
import type { Shared } from './wiring.ts';

const nameOfRow = ({ pk, sk }: Item) => `${pk} ${sk}`;

const TAKEN = keys.taken('', '').pk;
const QUARANTINE = keys.quarantine('', '').pk;

const isOf = (prefix: RegExp, cluster: string) => (row: Item) =>
  prefix.test(row.pk) && (row.sk.startsWith(cluster) || row.pk === keys.profile(cluster).pk);

interface Letter extends Message {
  readonly queue: string;
}

/** What there was when nobody wrote any more who read before: the table, opened, and dead letters. */
export interface Settled {
  readonly table: MemoryTable;
  readonly dead: readonly Letter[];
  /** What was proven before, by a call of the clock that came late. */
  readonly proven: ReadonlySet<string>;
}

/** What there is in a world now. */
export async function settledIn({ table, queues }: AskedWorld): Promise<Settled> {
  const { items } = await requestStore(table).list(10);
  return {
    table: await openedRows(table),
    dead: Object.entries(queues).flatMap(([queue, { dead }]) => dead.letters.map((it) => ({ queue, ...it }))),
    proven: new Set(items.flatMap(({ id, status }) => (status === 'done' ? id : []))),
  };
}

/**
 * What of dead letters of events is an erased person's: the letters, and the events in them. What asks for conversions of a
 * closed cluster is counted by the receipt as well, and may have become a dead letter since.
 */
function theirsIn(dead: readonly Letter[], unread: readonly Unread[], plan: Plan, { protector }: Shared) {
  const { gone, erasing } = plan;
  const names = new Set(gone.map(nameOf));
  const bodies = unread.filter((it) => isTheirs(it, plan, { protector }));
  const letters = new Set<string>();
  const events = new Set<string>();
  for (const { queue, id, body } of dead) {
    const content = queue === 'events' ? messageIn(body) : undefined;
    const own = content?.events.filter(
      (it) =>
        it.identifiers.some((shown) => names.has(nameOf(protector.protect(shown)))) &&
        (it.occurredAt <= erasing.at || it.receivedAt <= erasing.at),
    );
    for (const it of own ?? []) events.add(it.id);
    const faults = content?.faults.filter((it) => bodies.some(({ fault }) => fault.id === it.id));
    const isPoison = queue === 'events' && bodies.some(({ poison }) => poison === body);
    if (own?.length || faults?.length || isPoison) letters.add(id);
  }
  return { messages: letters.size, events: events.size };
}

function messageIn(body: string): EventsMessage | undefined {
  try {
    return eventsMessage.parse(JSON.parse(body));
  } catch {
    return undefined; // poison
  }
}

/** A proven erasure, and what its receipts have to be true of. */
interface Proven {
  readonly its: readonly PrivacyRequest[];
  readonly done: readonly Planned[];
  readonly settled: Settled;
  readonly ended: MemoryTable;
  readonly unread: readonly Unread[];
  /** One thing happened after the other. */
  readonly isAlone: boolean;
}

/** What receipts say is what whoever counts by hand says, and they stand in the audit log. */
export async function mustAddUp(proven: Proven, shared: Shared, of: Case): Promise<void> {
  const how = `${of.how}\nagain: ${of.replay}`;
  const { its, done, ended } = proven;
  const log = ended.rows().filter(({ pk }) => pk.startsWith(AUDIT));
  for (const { id, receipt, of: asked, progress, deadLetters } of its) {
    if (!receipt) throw new Error(`no receipt: ${how}`);
    const { digest, ...rest } = receipt;
    const isLogged = log.some(({ e }) => String(e).includes(digest));
    expect({ digest, isLogged, residual: rest.residual }, how).toEqual({
      ...{ digest: sealed(rest).digest, isLogged: true, residual: 0 },
    });
    expect([asked, progress, deadLetters], how).toEqual([undefined, undefined, undefined]);
    const own = done.find(({ request }) => request === id);
    const counted = own ? await countedOf(own, proven, shared, how) : NOTHING;
    const { found, rowsRemoved, quarantineRemoved, tombstones, shredded } = rest;
    const letters = rest.deadLetters;
    const messages = Math.min(letters?.messages ?? 0, counted.taken.messages); // the receipt counts conversions' too
    const is = {
      ...{ ...found, rowsRemoved, quarantineRemoved, tombstones, shredded: shredded?.clusters },
      taken: { ...letters, messages },
    };
    // What was removed is counted from what stood when nobody wrote any more.
    const seen = proven.settled.proven.has(id) ? is : counted;
    // Where others write at the same time, a row may come between the counting and the closing.
    const { conversions, tags, days, reviews } = proven.isAlone ? counted : is;
    // A body that names two who are erased is removed for whoever is first.
    const bodies = done.length > 1 ? is : seen;
    expect(is, how).toEqual({
      ...{ ...counted, conversions, tags, days, reviews, rowsRemoved: seen.rowsRemoved },
      ...{ quarantineRemoved: bodies.quarantineRemoved, taken: seen.taken },
    });
  }
}

const NOTHING = {
  ...{ identifiers: 0, events: 0, segments: 0, conversions: 0, tags: 0, days: 0, reviews: 0 },
  ...{ rowsRemoved: 0, quarantineRemoved: 0, tombstones: 0 },
  ...{ taken: { messages: 0, events: 0 }, shredded: undefined },
};

/** What a receipt must say: rows, bodies and letters counted where they stand, before and after. */
async function countedOf(
  { plan, before }: Planned,
  { settled, ended, unread }: Proven,
  shared: Shared,
  how: string,
): Promise<Omit<typeof NOTHING, 'shredded'> & { readonly shredded: number }> {
  const { id } = plan.cluster;
  const was = await openedRows(before);
  const own = profilesOf(await describeTable(was.rows())).find(({ identifiers }) =>
    plan.gone.some((it) => identifiers.includes(nameOf(it))),
  );
  const inside = was.rows().filter(({ pk }) => pk === keys.profile(id).pk);
  const isRow = (row: Item) =>
    isOf(/^([TAV]#|U#review)/, id)(row) || (row.pk === keys.profile(id).pk && row.sk !== '@');
  const left = ended.rows().filter(isRow).map(nameOfRow);
  // What was "no more" before anybody was erased ends by itself, weeks after it was written.
  const marks = new Set(
    was.rows().flatMap((row) => (row.gone === true && row.ttl !== undefined ? nameOfRow(row) : [])),
  );
  expect(
    left.filter((it) => !marks.has(it)),
    how,
  ).toEqual([]);
  const bodies = new Set(unread.filter((it) => isTheirs(it, plan, shared)).map(({ fault }) => fault.id));
  const isBody = ({ pk, sk }: Item) => pk.startsWith(QUARANTINE) && bodies.has(sk);
  const tombs = new Set(
    plan.gone.map((it) => keys.identifier(it.kind, it.scope, shared.protector.digest(it)).pk),
  );
  // A cluster that was claimed and never written has no row that a key was made for.
  const wasWritten = (it: string) => ended.rows().some(({ pk, sk }) => pk.startsWith(TAKEN) && sk === it);
  const standing = (prefix: RegExp) =>
    was.rows().filter((row) => isOf(prefix, id)(row) && row.gone !== true).length;
  return {
    ...{ tags: standing(/^T#/), days: standing(/^A#/), reviews: standing(/^U#review/) },
    identifiers: plan.gone.length,
    events: own?.events.length ?? 0,
    segments: inside.filter(({ sk }) => sk.startsWith(SEGMENT)).length,
    conversions: inside.filter(({ sk, gone }) => sk.startsWith(CONVERSION) && gone !== true).length,
    rowsRemoved: settled.table.rows().filter(isRow).length - left.length,
    quarantineRemoved: settled.table.rows().filter(isBody).length,
    tombstones: ended.rows().filter(({ pk, erasedAt }) => erasedAt === plan.erasing.at && tombs.has(pk))
      .length,
    taken: theirsIn(settled.dead, unread, plan, shared),
    shredded: takenIn(id, ended).filter((it) => it === id || wasWritten(it)).length,
  };
}

const line = z
  .tuple([z.literal('profile'), z.string(), z.array(z.string()), z.array(z.unknown())])
  .rest(z.unknown());

const profilesOf = ({ lines }: { readonly lines: readonly string[] }) =>
  lines.flatMap((text) => {
    const { data } = line.safeParse(JSON.parse(text));
    return data ? [{ identifiers: data[2], events: data[3] }] : [];
  });
