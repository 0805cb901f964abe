// Ninety days in the life of a brand: everything that its customers did, in time order.
import { DAY, HOUR, SECOND } from '../lib/platform/clock.ts';
import { type Act, act, introduction } from './acts.ts';
import type { Dice } from './dice.ts';
import type { Customer } from './people.ts';

export interface Done {
  readonly at: number;
  readonly act: Act;
}

export const LIFE_DAYS = 90;

/**
 * Everybody becomes known on some day of the first two thirds, and visits from then on: at any hour between eight and
 * midnight, for 1 to 12 acts (half of the visits have at most 3) about forty seconds apart.
 *
 * @param from the first day's midnight, in milliseconds
 */
export function lives(customers: readonly Customer[], from: number, d: Dice): Done[] {
  return customers.flatMap((who) => life(who, from, d)).sort((a, b) => a.at - b.at);
}

function life(who: Customer, from: number, d: Dice): Done[] {
  const known = from + d.next() * (LIFE_DAYS * (2 / 3)) * DAY;
  const end = from + LIFE_DAYS * DAY;
  const done: Done[] = introduction(who, whole(known), d).map((it) => ({ at: it.at, act: it }));
  for (let visit = 0; visit < who.visits; visit++) {
    const day = Math.floor((known + d.next() * (end - known)) / DAY) * DAY;
    let at = Math.max(day + 8 * HOUR + d.next() * 16 * HOUR, known + HOUR);
    const acts = Math.min(12, Math.max(1, Math.round(d.longTailed(3, 0.7))));
    for (let i = 0; i < acts && at < end; i++) {
      done.push({ at: whole(at), act: act(who, whole(at), d) });
      at += (5 + d.next() * 70) * SECOND;
    }
  }
  return done;
}

const whole = (at: number) => Math.floor(at);

/** Pieces of a time-ordered list, each of what happened within one second: the window in which a batch fills up. */
export function* bySecond<T extends { readonly at: number }>(
  done: readonly T[],
): Generator<{ at: number; done: T[] }> {
  let piece: { at: number; done: T[] } | undefined;
  for (const it of done) {
    const at = Math.floor(it.at / SECOND) * SECOND + SECOND;
    if (piece && piece.at !== at) {
      yield piece;
      piece = undefined;
    }
    piece ??= { at, done: [] };
    piece.done.push(it);
  }
  if (piece) yield piece;
}
