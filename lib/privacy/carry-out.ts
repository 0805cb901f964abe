import { z } from 'zod';
import { conversionRows } from '../attribution/read.ts';
import { mark } from '../attribution/row.ts';
import { appendAudit } from '../audit/append.ts';
import { contactNote } from '../channels/wecom-note.ts';
import { nameOf } from '../identity/graph.ts';
import type { Protector } from '../identity/protect.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { CONVERSION, END, keys, LISTING, SEGMENT } from '../platform/keys.ts';
import { logError } from '../platform/log.ts';
import type { Shredder } from '../platform/shredder.ts';
import type { Message } from '../platform/sqs.ts';
import type { Item, Key, Table } from '../platform/table.ts';
import { live } from '../profile/join.ts';
import type { Rules } from '../profile/person.ts';
import type { SettleDeps } from '../profile/settle.ts';
import { namedInQuarantine } from '../quarantine/remove.ts';
import { derivedRows } from './derived.ts';
import { erase, type Plan, planErasure } from './erase.ts';
import { type Counts, type Progress, SETTLING_MS, sealed } from './request.ts';
import { requestStore, type StoredRequest } from './request-store.ts';
import { identifierKeys, shred } from './shred.ts';

export interface CarryOutDeps extends SettleDeps {
  readonly table: Table;
  readonly protector: Protector;
  readonly rules: () => Promise<Rules>;
  readonly now: Clock;
  /** What destroys keys; absent where rows are not sealed. */
  readonly shredder?: Shredder;
  /** Whether dead letters are looked through (`sweep.ts`): then no erasure is proven before. */
  readonly sweeps?: boolean;
}

export const erasureMessage = z.strictObject({ request: z.string() });

/** Begins the erasures that messages name. Answers the ids of those that must come again. */
export async function onErasures(messages: readonly Message[], deps: CarryOutDeps): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, body } of messages) {
    try {
      await beginErasure(erasureMessage.parse(JSON.parse(body)).request, deps);
    } catch (error) {
      logError('an erasure', error);
      failed.push(id);
    }
  }
  return failed;
}

/**
 * Takes the person out of everything that is read. What is planned is put down first and then done, so whoever comes again
 * sees whether it was done, and never erases whoever came back since.
 */
export async function beginErasure(id: string, deps: CarryOutDeps): Promise<void> {
  const stored = await requestStore(deps.table).get(id);
  if (stored.it.status !== 'received' || stored.it.right !== 'erase') return;
  const rules = await deps.rules();
  const going = await underWay(stored, rules, deps);
  const settling = going ?? (await plannedAnew(stored, rules, deps));
  const { of: _, ...rest } = settling.it;
  await requestStore(deps.table).put(
    { ...rest, status: 'settling', settledAt: toIso(deps.now()) },
    settling.version,
  );
}

/** The request, if its cluster was closed for it: then the rest is seen to. */
async function underWay(
  stored: StoredRequest,
  rules: Rules,
  deps: CarryOutDeps,
): Promise<StoredRequest | undefined> {
  const { progress } = stored.it;
  if (!progress) return undefined;
  const row = await deps.table.get(keys.profile(progress.cluster));
  if (row?.joined !== progress.into) return undefined;
  await live(progress.cluster, rules, deps);
  return stored;
}

async function plannedAnew(
  { it: { progress: _, ...it }, version }: StoredRequest,
  rules: Rules,
  deps: CarryOutDeps,
): Promise<StoredRequest> {
  const plan = it.of && (await planErasure(it.of, it.id, rules, deps));
  if (!plan) return { it, version }; // nobody is there by now; what was planned before did not happen
  const planned = { ...it, progress: await progressOf(plan, rules, deps) };
  await requestStore(deps.table).put(planned, version);
  await erase(plan, rules, deps);
  return { it: planned, version: version + 1 };
}

async function progressOf(plan: Plan, rules: Rules, { table }: CarryOutDeps): Promise<Progress> {
  const { cluster, into, erasing, erased, gone } = plan;
  const derived = derivedRows(cluster, [...erased, ...plan.events], rules);
  const own = new Set(erased.map(({ id }) => id));
  const conversions = await list(conversionRows(table, cluster.id));
  const found: Counts = {
    ...{ identifiers: gone.length, events: own.size, segments: cluster.sequence },
    conversions: conversions.filter(({ gone: isGone }) => isGone !== true).length,
    ...{ tags: await standing(derived.tags, table), days: await standing(derived.days, table) },
    reviews: await standing(derived.reviews, table),
  };
  const rows = [...derived.tags, ...derived.days, ...derived.reviews, ...conversions.flatMap(listings)];
  return {
    ...{ cluster: cluster.id, into, at: erasing.at, found },
    of: erasing.of.map(({ kind, scope, value }) => ({ kind, scope, value })),
    rows: rows.map(({ pk, sk }): [string, string] => [pk, sk]),
    keys: await identifierKeys(erasing.of, { table }),
  };
}

/** How many of some rows stand: what could follow from a state need not have followed, and a mark tells of nobody. */
async function standing(rows: readonly Key[], table: Table): Promise<number> {
  const found = await Promise.all(rows.map((key) => table.get(key)));
  return found.filter((row) => row && row.gone !== true).length;
}

/** Where a conversion's row says that it is, or was, listed. */
function listings(row: Item): Key[] {
  const { day, former } = mark.parse(row);
  const id = row.sk.slice(CONVERSION.length);
  return [...(day === undefined ? [] : [day]), ...former].map((it) => keys.dayConversion(it, id));
}

/**
 * Begins what channels asked for, and ends erasures that have settled: nobody writes any more who read before. What marks and late writers left is removed, and
 * looked for once more; the receipt says how many rows that look found. @returns how many requests were ended
 */
export async function endErasures(deps: CarryOutDeps): Promise<{ readonly ended: number }> {
  let ended = 0;
  let failed = 0;
  const store = requestStore(deps.table);
  for await (const { id, status, right, settledAt, deadLetters } of store.recent(deps.now())) {
    const hasSettled = settledAt !== undefined && Date.parse(settledAt) + SETTLING_MS <= deps.now();
    try {
      if (status === 'received' && right === 'erase') await beginErasure(id, deps); // a channel asked, or a message was lost
      if (status !== 'settling' || !hasSettled || (deps.sweeps && !deadLetters)) continue;
      await endErasure(await store.get(id), deps);
      ended++;
    } catch (error) {
      logError('an erasure by the clock', error, { request: id });
      failed++;
    }
  }
  if (failed > 0) throw new Error(`${failed} erasures could not be carried out or proven`); // an alarm; the next tick tries again
  return { ended };
}

const QUARANTINE = keys.quarantine('', '').pk;

const NOTHING: Counts = {
  ...{ identifiers: 0, events: 0, segments: 0, conversions: 0, tags: 0, days: 0, reviews: 0 },
};

async function endErasure(stored: StoredRequest, deps: CarryOutDeps): Promise<void> {
  const { it, version } = await foundAtLast(stored, deps);
  const { progress, deadLetters, ...rest } = it;
  const removing = progress?.removing ?? [];
  await removeAll(
    removing.map(([pk, sk]) => ({ pk, sk })),
    deps,
  );
  const quarantineRemoved = removing.filter(([pk]) => pk.startsWith(QUARANTINE)).length;
  const rowsRemoved = removing.length - quarantineRemoved;
  if (progress) await forgetContacts(progress, deps);
  const residual = progress ? (await rowsLeft(progress, deps)).length : 0;
  if (residual > 0) throw new Error(`an erasure left ${residual} rows`);
  const { table, shredder } = deps;
  const shredded =
    progress && shredder && (await shred(progress.cluster, progress.keys ?? [], { table, shredder }));
  const receipt = sealed({
    ...{ erasedAt: progress?.at ?? it.asked.at, found: progress?.found ?? NOTHING },
    ...{ rowsRemoved, quarantineRemoved, tombstones: progress?.of.length ?? 0, residual },
    ...(shredded && { shredded }),
    ...(deadLetters && { deadLetters }),
  });
  const doneAt = toIso(deps.now());
  const lists = progress?.rows.flatMap(([pk]) => (pk.startsWith(LISTING) ? pk : []));
  // For `sums.ts`: what was begun to be counted until now, and which days' reports, may have counted the person.
  if (lists) await table.put({ ...keys.sum('erasure', it.id), at: doneAt, lists: [...new Set(lists)] });
  await appendAudit(deps, {
    ...{ what: 'privacy_request', who: 'erasure', on: 'clock', subjects: [it.subject] },
    details: { request: it.id, status: 'done', residual, digest: receipt.digest },
  });
  await removeAll(await list(table.query(keys.swept(it.id, '').pk)), deps);
  await requestStore(deps.table).put({ ...rest, status: 'done', doneAt, receipt }, version);
}

/** The request with all that is to be removed. */
async function foundAtLast({ it, version }: StoredRequest, deps: CarryOutDeps): Promise<StoredRequest> {
  const { progress } = it;
  if (!progress) return { it, version };
  const before = progress.removing ?? [];
  const found = [...(await bodiesOf(progress, deps)), ...(await rowsLeft(progress, deps))];
  const all = [...before, ...found.map(({ pk, sk }): [string, string] => [pk, sk])];
  const removing = [...new Map(all.map((key) => [key.join(' '), key])).values()];
  if (removing.length === before.length) return { it, version };
  const more = { ...it, progress: { ...progress, removing } };
  await requestStore(deps.table).put(more, version);
  return { it: more, version: version + 1 };
}

/** Rows of the person, or of the cluster in which they were, that still stand: all but the way to where the others went. */
async function rowsLeft({ cluster, rows }: Progress, { table }: CarryOutDeps): Promise<Key[]> {
  const { pk } = keys.profile(cluster);
  const inside = await list(table.query(pk, { from: CONVERSION, to: `${SEGMENT}${END}` }));
  const named = [
    ...rows.map(([partition, sk]) => ({ pk: partition, sk })),
    ...inside.filter(({ sk }) => sk.startsWith(CONVERSION)).flatMap(listings),
  ];
  const once = new Map(named.map((key) => [`${key.pk} ${key.sk}`, key])); // a conversion's listing is named by its row too
  const found = await Promise.all([...once.values()].map((key) => table.get(key)));
  return [...inside, ...found.filter((row) => row !== undefined)];
}

async function removeAll(rows: readonly Key[], { table }: CarryOutDeps): Promise<void> {
  for (const { pk, sk } of rows) await table.remove({ pk, sk });
}

/** What was kept of a contact of WeCom, to tell what changes. */
async function forgetContacts({ of }: Progress, { table, rules }: CarryOutDeps): Promise<void> {
  const accounts = Object.keys((await rules()).brand.channels.wecom ?? {});
  for (const { kind, value } of of) {
    if (kind !== 'wecom_external_userid') continue;
    for (const account of accounts) await table.remove(keys.kept('wecom', account, contactNote(value)));
  }
}

/** Bodies in quarantine that name the person by any identifier, in whatever form the vendor wrote it. */
function bodiesOf({ of, at }: Progress, deps: CarryOutDeps): Promise<Key[]> {
  const values = of.map((id) => deps.protector.reveal(id));
  return namedInQuarantine([...new Map(values.map((id) => [nameOf(id), id])).values()], at, deps);
}

async function list(rows: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
