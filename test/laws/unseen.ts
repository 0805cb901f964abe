import { expect } from 'vitest';
import { DAY } from '../../lib/platform/clock.ts';
import type { Plan } from '../../lib/privacy/erase.ts';
import type { PrivacyRequest } from '../../lib/privacy/request.ts';
import type { MemoryTable } from '../platform/memory.ts';
import { neverSeen } from './erasures.ts';
import { asLetter, leftOf, takenIn, tellsOf, textsOf } from './left.ts';
import { mustAddUp, type Settled } from './receipts.ts';
import { type AskedWorld, openedRows, type Planned } from './requested.ts';
import { everything, replayed, type Told } from './told.ts';
import { isTheirs } from './unread.ts';
import { type Case, mustBeSame, mustBeTrue } from './verdict.ts';
import type { Shared } from './wiring.ts';

/** A world in which somebody asked to be erased, and it was proven. */
export interface Ended {
  readonly world: AskedWorld;
  /** What was asked, once or twice. */
  readonly its: readonly PrivacyRequest[];
  /** Who was erased: nobody, if nobody was found. */
  readonly done: readonly Planned[];
  /** What came: before the erasure, and of whoever came back after it. */
  readonly told: Told;
  /** The table and the dead letters when it had settled. */
  readonly settled: Settled;
  /** What stood in queues when it was proven, dead letters among them. */
  readonly letters: readonly string[];
  /** One thing happened after the other. */
  readonly isAlone: boolean;
}

/** Erasures as one: whoever is gone by any of them. */
export function together(done: readonly Planned[]): Plan | undefined {
  const plans = done.map(({ plan }) => plan);
  const [first] = plans;
  const at = plans
    .map(({ erasing }) => erasing.at)
    .sort()
    .at(-1);
  if (!first || at === undefined) return undefined;
  const gone = plans.flatMap((plan) => plan.gone);
  const erased = plans.flatMap((plan) => plan.erased);
  return { ...first, gone, erased, erasing: { ...first.erasing, at } };
}

/** Everything that came, where somebody never did. */
export const withoutThem = ({ events, unread }: Told, plan: Plan | undefined, shared: Shared): Told => ({
  events: neverSeen(events, plan, shared),
  unread: unread.filter((it) => !plan || !isTheirs(it, plan, shared)),
});

/**
 * Law 6 of one world: everything that its table says, quarantine with it, is what a replay says in which neither an event nor a
 * body of the person ever came; nothing is left that says who it was; and the receipts are true.
 *
 * @param of `isTold`: a sequential reader of what is left has to say the same
 */
export async function mustBeUnseen(
  ended: Ended,
  shared: Shared,
  of: Case & { readonly isTold: boolean },
): Promise<void> {
  const { world, its, done, told, settled, isAlone } = ended;
  const plan = together(done);
  const left = withoutThem(told, plan, shared);
  const opened = await openedRows(world.table);
  const ran = { table: opened, now: world.now, story: world.story };
  mustBeSame(await replayed(left, plan, shared), await everything(ran, plan), world, of);
  if (of.isTold && plan) await mustBeTrue(ran, left.events, shared, of);
  await mustBeGone(ended, opened, shared, of);
  await mustAddUp({ its, done, settled, ended: world.table, unread: told.unread, isAlone }, shared, of);
}

/** Marks of clusters that were joined before stay so long, told by the clock of whoever put them. */
const MARKED = 31 * DAY;

/** Nothing says who it was, here or in a backup, but for those who came back. */
async function mustBeGone(
  { world, told, done, letters }: Ended,
  opened: MemoryTable,
  shared: Shared,
  { how, replay }: Case,
): Promise<void> {
  const plan = together(done);
  if (!plan || told.events.some(({ occurredAt }) => occurredAt > plan.erasing.at)) return;
  const { events, unread } = withoutThem(told, plan, shared);
  const own = told.events.filter(({ id }) => events.every((it) => it.id !== id)).map(({ id }) => id);
  const clusters = done.flatMap((it) => takenIn(it.plan.cluster.id, world.table));
  const tells = tellsOf(plan.gone, clusters, { ...told, unread }, shared);
  const texts = [...textsOf(opened, world.now + MARKED), ...letters.map(asLetter)];
  const values = [...tells.values, ...own.map((id) => id.toLowerCase())];
  expect(leftOf(texts, { ...tells, values }), `${how}\nagain: ${replay}`).toEqual([]);
  for (const { before } of done) {
    const backup = textsOf(await openedRows(before, world.table), world.now);
    const sealed = backup.filter(({ isSealed }) => isSealed);
    expect(leftOf(sealed, { ...tells, clusters: [] }), `in a backup: ${how}\nagain: ${replay}`).toEqual([]);
  }
}
