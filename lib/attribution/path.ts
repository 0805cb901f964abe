import { z } from 'zod';
import { byTime } from '../events/event.ts';
import type { AttributionSettings } from '../platform/brand.ts';
import { MINUTE, toIso } from '../platform/clock.ts';
import { DIRECT, nearerRole, type Touch, touch } from './touch.ts';
import { longestLookBackMs, lookBackMs } from './window.ts';

/** Touches of one channel without a session id belong to one visit up to this gap, both ends in. */
export const SESSION_GAP_MS = 30 * MINUTE;
/** Of a longer path the first touch and the newest others count: a row must fit into the table. */
export const MAX_TOUCHES = 1_000;
/** How many excluded touches are listed, newest first to stay; all of them are counted. */
export const MAX_EXCLUDED = 50;

export const reason = z.enum([
  /** Further back than its channel's look-back. */
  'look_back',
  /** At or before the previous conversion of the goal. */
  'earlier_journey',
  /** The same contact as `of`. */
  'duplicate',
  /** A direct visit, and others led here. */
  'direct',
  /** The path is longer than `MAX_TOUCHES`. */
  'too_many',
]);
export type Reason = z.infer<typeof reason>;

const excluded = touch
  .pick({ eventId: true, type: true, at: true, channel: true })
  .extend({ reason, of: z.string().optional() });
export type Excluded = z.infer<typeof excluded>;

/** The touches that share a conversion, and what was left out of it and why. */
export const path = z.strictObject({
  touches: z.array(touch),
  /** The newest `MAX_EXCLUDED`, in time order. */
  excluded: z.array(excluded),
  /** How many were left out for each reason. */
  excludedCount: z.partialRecord(reason, z.int()),
});
export type Path = z.infer<typeof path>;

/**
 * The touches before one conversion, by these steps in this order.
 *
 * 1. look-back: `0 ≤ t_c − t_i ≤ L` with the channel's own L, both ends in. A touch after the conversion never counts.
 * 2. journey `reset`: only `t_i > t_prev`; a touch at exactly `t_prev` belongs to the previous conversion.
 * 3. duplicates, by the brand's policy.
 * 4. direct `dropIfOthers`: direct visits are dropped unless nothing else is left.
 *
 * What lies before the longest look-back of all channels is not mentioned at all, so that what happened years ago
 * restates nothing.
 *
 * @param at of the conversion
 * @param previousAt of the previous conversion of the same goal, if any
 * @param touches in order of (time, id), as `touchesOf` gives them
 */
export function pathOf(
  at: string,
  previousAt: string | undefined,
  touches: readonly Touch[],
  settings: AttributionSettings,
): Path {
  const end = Date.parse(at);
  const left: Excluded[] = [];
  let kept: Touch[] = [];
  for (let i = firstFrom(touches, startOf(end, longestLookBackMs(settings))); i < touches.length; i++) {
    const it = touches[i]!;
    if (it.at > at) break;
    if (it.at < startOf(end, lookBackMs(settings, it.channel))) left.push(without(it, 'look_back'));
    else if (settings.journey === 'reset' && previousAt !== undefined && it.at <= previousAt)
      left.push(without(it, 'earlier_journey'));
    else kept.push(it);
  }

  const { kept: single, absorbed } = duplicates[settings.duplicates](kept);
  left.push(...absorbed);
  kept = single;

  if (settings.direct === 'dropIfOthers' && kept.some((it) => it.channel !== DIRECT)) {
    left.push(...kept.filter((it) => it.channel === DIRECT).map((it) => without(it, 'direct')));
    kept = kept.filter((it) => it.channel !== DIRECT);
  }

  if (kept.length > MAX_TOUCHES) {
    const surplus = kept.splice(1, kept.length - MAX_TOUCHES);
    left.push(...surplus.map((it) => without(it, 'too_many')));
  }

  left.sort(byAge);
  const excludedCount: Path['excludedCount'] = {};
  for (const it of left) excludedCount[it.reason] = (excludedCount[it.reason] ?? 0) + 1;
  return { touches: kept, excluded: left.slice(-MAX_EXCLUDED), excludedCount };
}

const startOf = (end: number, reach: number): string => toIso(Math.ceil(end - reach));

interface Deduplicated {
  readonly kept: Touch[];
  readonly absorbed: Excluded[];
}

/**
 * Which touches are one and the same contact.
 *
 * - `consecutive`: neighbours of one channel
 * - `session`: one channel and one session id; without an id, one channel and a gap of at most 30 minutes to the
 *   visit's last touch. Touches with an id and without never meet.
 * - `unique`: one channel; the only policy that keeps the *first* touch
 *
 * The others keep the last touch, with the campaign and content that it does not name itself. A contact is an
 * opportunity if one of its touches is, and has the role of them that is nearest to the purchase.
 */
const duplicates = {
  none: (touches) => ({ kept: [...touches], absorbed: [] }),
  consecutive: (touches) =>
    merge(
      touches,
      () => '',
      (a, b) => a.channel === b.channel,
    ),
  session: (touches) => merge(touches, visitOf, sameVisit),
  unique: (touches) => {
    const firsts = new Map<string, Touch>();
    const absorbed: Excluded[] = [];
    for (const it of touches) {
      const first = firsts.get(it.channel);
      if (first) absorbed.push(without(it, 'duplicate', first.eventId));
      firsts.set(it.channel, first ? { ...first, ...ranked(first, it) } : it);
    }
    return { kept: [...firsts.values()], absorbed };
  },
} satisfies Record<AttributionSettings['duplicates'], (touches: readonly Touch[]) => Deduplicated>;

const visitOf = (it: Touch) => JSON.stringify([it.channel, it.session ?? null]);
const sameVisit = (a: Touch, b: Touch) =>
  b.session !== undefined || Date.parse(b.at) - Date.parse(a.at) <= SESSION_GAP_MS;

/** Lets each touch absorb the newest one before it in its `group`, if they are the `same` contact. */
function merge(
  touches: readonly Touch[],
  group: (it: Touch) => string,
  same: (a: Touch, b: Touch) => boolean,
): Deduplicated {
  const newest = new Map<string, Touch>();
  const kept = new Set<Touch>();
  const into = new Map<Touch, Touch>();
  for (const it of touches) {
    const name = group(it);
    const earlier = newest.get(name);
    let contact = it;
    if (earlier && same(earlier, it)) {
      contact = absorb(earlier, it);
      kept.delete(earlier);
      into.set(earlier, contact);
    }
    kept.add(contact);
    newest.set(name, contact);
  }
  const last = new Map<Touch, string>();
  const absorbed = [...into].reverse().map(([earlier, later]) => {
    const of = last.get(later) ?? later.eventId; // later ones first: the end of each chain is known by now
    last.set(earlier, of);
    return without(earlier, 'duplicate', of);
  });
  return { kept: [...kept], absorbed };
}

/** The later touch; what it does not name it has from the earlier one. */
const absorb = (earlier: Touch, later: Touch): Touch => ({
  ...earlier,
  ...later,
  ...ranked(earlier, later),
});

/** What a contact has of the highest of its touches. */
const ranked = (a: Touch, b: Touch): Pick<Touch, 'opportunity' | 'role'> => ({
  opportunity: a.opportunity || b.opportunity,
  role: nearerRole(a.role, b.role),
});

const without = ({ eventId, type, at, channel }: Touch, why: Reason, of?: string): Excluded => ({
  eventId,
  type,
  at,
  channel,
  reason: why,
  ...(of !== undefined && { of }),
});

const byAge = (a: Excluded, b: Excluded) =>
  byTime({ occurredAt: a.at, id: a.eventId }, { occurredAt: b.at, id: b.eventId });

/** Index of the first touch at or after an instant. */
function firstFrom(touches: readonly Touch[], from: string): number {
  let low = 0;
  let high = touches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (touches[middle]!.at < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
