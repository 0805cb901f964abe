import type { Event } from '../../lib/events/event.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { keys } from '../../lib/platform/keys.ts';
import type { Plan } from '../../lib/privacy/erase.ts';
import { factsWithout } from './erasures.ts';
import { played } from './story.ts';
import type { Unread } from './unread.ts';
import type { Ran } from './verdict.ts';
import type { Shared } from './wiring.ts';

/** What came to a brand: what was read, and what could not be. */
export interface Told {
  readonly events: readonly Event[];
  readonly unread: readonly Unread[];
}

const QUARANTINE = keys.quarantine('', '').pk;

/** What quarantine holds, whole; of a poisoned message not when it came, which it does not say. */
function quarantined({ table }: Ran): string[] {
  const lines = table
    .rows()
    .filter(({ pk }) => pk.startsWith(QUARANTINE))
    .map(({ pk, day, receivedAt, ttl, ...row }) =>
      JSON.stringify(row.reason === 'unreadable' ? [row] : [row, pk, day, receivedAt, ttl]),
    );
  return [...new Set(lines)];
}

/** All that a table says, quarantine with it, but for tombstones and for the mention of who is gone on what others did. */
export async function everything(world: Ran, plan: Plan | undefined): Promise<string[]> {
  const facts = await factsWithout(world, plan);
  return [...facts.filter((line) => !line.startsWith(`["${QUARANTINE}`)), ...quarantined(world)].sort();
}

const known = { of: '', facts: Promise.resolve<string[]>([]) };

/** The same where only this came, in two deliveries, and two weeks later. What was asked last is not played again. */
export function replayed(told: Told, plan: Plan | undefined, shared: Shared): Promise<string[]> {
  const of = JSON.stringify([told, plan?.gone, shared.zone]);
  if (known.of !== of) Object.assign(known, { of, facts: play(told, plan, shared) });
  return known.facts;
}

async function play({ events, unread }: Told, plan: Plan | undefined, shared: Shared): Promise<string[]> {
  const faults = unread.flatMap(({ poison, fault }) => (poison === undefined ? fault : []));
  const steps = [
    { send: [events], faults },
    { bodies: unread.flatMap(({ poison }) => poison ?? []) },
    { passMs: 14 * DAY },
    { tick: true as const },
  ];
  return everything(await played(steps, shared), plan);
}
