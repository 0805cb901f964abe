import { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import { SECOND } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import { CONVERSION, LISTING } from '../platform/keys.ts';
import type { Queue } from '../platform/queue.ts';
import type { Item, Table } from '../platform/table.ts';
import { generationNumber } from './edition.ts';
import { adopted, finished, type Generations, generationOf, PARTS } from './generations.ts';
import type { GenerationsStore } from './generations-store.ts';
import { mark, profileOf } from './row.ts';
import type { Terms } from './touch.ts';

/** A message of the `conversions` queue: tells a part of everybody by other settings. */
export const partMessage = z.strictObject({
  /** The generation that asked for it, and its pass. */
  id: z.string(),
  pass: z.int().positive(),
  segment: z.int().nonnegative(),
  /** Where the part goes on; absent: at its beginning. */
  after: z.string().optional(),
});
export type PartMessage = z.infer<typeof partMessage>;

/** How long one call tells people again before it hands on to another: half of what a call may take. */
const BUDGET_MS = 25 * SECOND;

export interface ChangeDeps {
  readonly generations: GenerationsStore;
  readonly scan: Table['scan'];
  readonly conversions: Queue;
  readonly now: Clock;
  /** The cluster that a profile's id names. */
  clusterOf(profile: string): string;
}

const PROFILE = 'P#';

/**
 * Takes over the brand's settings if they are other ones, and sends off whoever has to be told by them. Whatever
 * crashes in between is done by whoever comes next.
 */
export async function generationsFor(brand: Terms, deps: ChangeDeps): Promise<Generations> {
  const wanted = generationOf(brand.attribution);
  for (;;) {
    const { v, state } = await deps.generations.get();
    const changed = adopted(state, wanted) ?? (await sent(state, deps));
    if (!changed && state) return state;
    if (changed) await replaced(changed, v, deps);
  }
}

/**
 * What the schedule does: takes over other settings though nobody sends a message, and sends off what whoever took
 * them over before did not come to send.
 */
export async function onSettingsTick({
  brand,
  change,
}: {
  readonly brand: Terms;
  readonly change: ChangeDeps;
}): Promise<{ current: string; next?: string }> {
  const { current, next } = await generationsFor(brand, change);
  return { current: current.id, ...(next && { next: next.id }) };
}

/** Sends the parts of a pass that nobody has sent; undefined if there is none. */
async function sent(
  state: Generations | undefined,
  { conversions }: ChangeDeps,
): Promise<Generations | undefined> {
  const next = state?.next;
  if (!next || next.sent) return undefined;
  const { id, pass } = next;
  await conversions.send(next.left.map((segment) => JSON.stringify({ id, pass, segment })));
  return { ...state, next: { ...next, sent: true } };
}

/** Tells those of a part again who were told by older settings, and hands on what is left when time is up. */
export async function tellPart(
  part: PartMessage,
  until: number,
  tell: (cluster: string, state: Generations) => Promise<void>,
  deps: ChangeDeps,
): Promise<void> {
  const { state } = await deps.generations.get();
  const { next } = state ?? {};
  if (!state || next?.id !== part.id || next.pass !== part.pass || !next.left.includes(part.segment)) return;
  for (let { after } = part; ; ) {
    const page = await deps.scan(part.segment, PARTS, after);
    const behind = new Set(page.items.flatMap((row) => clusterBehind(row, state.seq, deps) ?? []));
    for (const cluster of behind) {
      await tell(cluster, state);
      behind.delete(cluster);
      if (deps.now() >= until) break;
    }
    // Who is left of this page is found again from where it begins: those who were told are not behind any more.
    if (behind.size === 0 && page.next === undefined) return finish(part, deps);
    if (behind.size === 0) after = page.next;
    if (deps.now() >= until)
      return deps.conversions.send([JSON.stringify({ ...part, ...(after !== undefined && { after }) })]);
  }
}

/** When a call that begins now has to hand on. */
export const handOnAt = ({ now }: ChangeDeps): number => now() + BUDGET_MS;

async function finish(part: PartMessage, deps: ChangeDeps): Promise<void> {
  for (;;) {
    const { v, state } = await deps.generations.get();
    if (!state) return;
    const changed = finished(state, part);
    if (changed === state || (await replaced(changed, v, deps))) break;
  }
  const { state } = await deps.generations.get();
  await sent(state, deps);
}

async function replaced(state: Generations, v: number, { generations }: ChangeDeps): Promise<boolean> {
  try {
    await generations.put(state, v);
    return true;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error; // somebody else was first: it is read again
    return false;
  }
}

/**
 * Whose conversion a row is, if that was told before a change. The day's list is written after the conversion itself,
 * and it is what reports read: a crash in between leaves it behind, and it is looked at too.
 */
function clusterBehind(row: Item, seq: number, { clusterOf }: ChangeDeps): string | undefined {
  const { pk, sk } = row;
  const isConversion = pk.startsWith(PROFILE) && sk.startsWith(CONVERSION);
  if (!isConversion && !pk.startsWith(LISTING)) return undefined;
  const { v, gone } = mark.parse(row);
  if (gone || generationNumber(v) >= seq) return undefined;
  return isConversion ? pk.slice(PROFILE.length) : clusterOf(profileOf(sk));
}
