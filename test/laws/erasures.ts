import { z } from 'zod';
import { type Event, type Identifier, identifier } from '../../lib/events/event.ts';
import { directory } from '../../lib/identity/directory.ts';
import { homeOf, nameOf } from '../../lib/identity/graph.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { keys } from '../../lib/platform/keys.ts';
import { erase, type Plan, planErasure } from '../../lib/privacy/erase.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { played } from './story.ts';
import { factsOf, type Ran } from './verdict.ts';
import { functionsOf, type Names, type Shared } from './wiring.ts';
import { World, type WorldFunction, type WorldOptions } from './world/world.ts';

/** How many erasures a build compares with replays at least, by file: law 6 is asked of 5,000. */
export const ERASURES = { random: 1_700, points: 1_200, moments: 2_300 };

export type AllNames = Names | 'erasures';

const asked = z.strictObject({ id: identifier, request: z.string() });

/** A brand's world with a queue of erasures, and what was planned there, carried out or not. */
export function erasingWorld(
  shared: Shared,
  options: Omit<WorldOptions<AllNames>, 'functions'>,
): { readonly world: World<AllNames>; readonly plans: readonly Plan[] } {
  const plans: Plan[] = [];
  const erasures: WorldFunction<AllNames> = ({ table, queues, now }) => {
    const deps = {
      ...{ table, protector: shared.protector, directory: directory(table, shared.protector) },
      ...{ profiles: profileStore(table), conversions: queues.conversions },
      ...{ done: new Map<string, number>(), now },
    };
    return async (messages) => {
      for (const { body } of messages) {
        const { id, request } = asked.parse(JSON.parse(body));
        const plan = await planErasure(shared.protector.protect(id), request, shared.rules, deps);
        if (!plan) continue;
        plans.push(plan);
        await erase(plan, shared.rules, deps);
      }
      return [];
    };
  };
  return {
    world: new World<AllNames>({ functions: { ...functionsOf(shared), erasures }, ...options }),
    plans,
  };
}

export const erasureOf = (id: Identifier, request: string): string => JSON.stringify({ id, request });

/** Runs until nothing is left in dead letters either. @throws Error if something never ends */
export async function runToTheEnd<Name extends string>(world: World<Name>, of: string): Promise<void> {
  await world.run();
  for (let left = 60; world.redrive() > 0; left--) {
    if (left === 0)
      throw new Error(`what fails comes back for ever: ${of}\n${world.story.slice(-3000)}`, {
        cause: world.errors.at(-1),
      });
    await world.run();
  }
}

/** The plan that was carried out, if one was: it closed its cluster, and the row says from which version. */
export async function carriedOut(world: World<AllNames>, plans: readonly Plan[]): Promise<Plan | undefined> {
  for (const plan of plans) {
    const row = await world.table.get(keys.profile(plan.cluster.id));
    if (row?.joined === plan.into && Number(row.v) === plan.cluster.version + 2) return plan;
  }
  return undefined;
}

/** What of some events is left where somebody was never seen: none of their own, and nobody else's shows them. */
export function neverSeen(events: readonly Event[], plan: Plan | undefined, { protector }: Shared): Event[] {
  if (!plan) return [...events];
  const gone = new Set(plan.gone.map(nameOf));
  const isGone = (id: Identifier) => gone.has(nameOf(protector.protect(id)));
  return events.flatMap((event) => {
    const stored = { ...event, identifiers: event.identifiers.map((id) => protector.protect(id)) };
    if (event.occurredAt > plan.erasing.at) return [event];
    if (gone.has(nameOf(homeOf(stored)))) return [];
    return [{ ...event, identifiers: event.identifiers.filter((id) => !isGone(id)) }];
  });
}

/**
 * Whether an event of the person that was still on its way shows a weak identifier which somebody else shows too. Whose it
 * would have become is then left open: what a batch judged by an event that is out now is not judged again.
 */
export function isContested(events: readonly Event[], plan: Plan, { protector }: Shared): boolean {
  const gone = new Set(plan.gone.map(nameOf));
  const folded = new Set(plan.erased.map(({ id }) => id));
  const stored = events.map((event) => ({
    ...event,
    identifiers: event.identifiers.map((id) => protector.protect(id)),
  }));
  const [own, others] = [true, false].map((is) => stored.filter((it) => gone.has(nameOf(homeOf(it))) === is));
  const shown = new Set(others?.flatMap(({ identifiers }) => identifiers.map(nameOf)));
  return (own ?? [])
    .filter(({ id }) => !folded.has(id))
    .some(({ identifiers }) => identifiers.some((id) => !gone.has(nameOf(id)) && shown.has(nameOf(id))));
}

/**
 * What tables say where only some events ever came: in one delivery, and 14 days and a call of the schedule later. Events that
 * were asked of before are not played again.
 */
export function replays(shared: Shared): (events: readonly Event[]) => Promise<readonly string[]> {
  const known = new Map<string, Promise<readonly string[]>>();
  const replay = async (events: readonly Event[]) =>
    factsWithout(
      await played(
        [{ send: events.length > 0 ? [events] : [] }, { passMs: 14 * DAY }, { tick: true }],
        shared,
      ),
      undefined,
    );
  return (events) => {
    const text = JSON.stringify(events);
    const facts = known.get(text) ?? replay(events);
    known.set(text, facts);
    return facts;
  };
}

/**
 * The facts of a world, but for identifiers' rows (tombstones are some of them), scopes that were ever seen, and the mention of
 * somebody's device on what others did with it.
 */
export async function factsWithout(world: Ran, plan: Plan | undefined): Promise<string[]> {
  const gone = new Set(plan?.gone.map(nameOf));
  const lines = await factsOf(world);
  return lines
    .filter((line) => !line.startsWith('["I#') && !line.startsWith('["S#scope'))
    .map((line) => {
      if (!line.startsWith('["profile"')) return line;
      const [what, name, identifiers, events, ...more] = JSON.parse(line);
      const shown = events.map((event: { identifiers: string[] }) => ({
        ...event,
        identifiers: event.identifiers.filter((it) => !gone.has(it)),
      }));
      return JSON.stringify([what, name, identifiers, shown, ...more]);
    })
    .sort();
}
