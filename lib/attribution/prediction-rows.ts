import type { Journey } from './prediction-file.ts';

/** The touches of one person's look-back at an instant, in time order. */
export interface Seen {
  readonly at: number;
  readonly touches: Journey['touches'];
}

/** What was asked: one row a person and instant. */
export interface Rows {
  readonly seen: readonly Seen[];
  /** 1 where the person converted within the days after, else 0; and the reverse. */
  readonly came: Float64Array;
  readonly didNot: Float64Array;
  /** Whose row it is: 0 … people − 1, of these rows. */
  readonly person: Uint32Array;
  readonly people: number;
}

export interface AllRows {
  readonly from: number;
  readonly to: number;
  /** All instants that are asked about, one after the other. */
  readonly instants: readonly number[];
  /** The rows whose instant is not before `from`, and whose days after are over by `to`. */
  between(from: number, to: number): Rows;
}

/**
 * Everybody with a touch in the look-back, at every instant: the beginning of a day (UTC), every `aheadDays` from the
 * second time on, as long as what follows is in the log. A touch at the instant itself counts, a conversion comes after.
 */
export function rowsOf(
  journeys: readonly Journey[],
  { aheadDays, lookBackDays }: { readonly aheadDays: number; readonly lookBackDays: number },
): AllRows {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { touches, conversions } of journeys)
    for (const at of [touches[0]?.at, touches.at(-1)?.at, conversions[0], conversions.at(-1)])
      if (at !== undefined) [from, to] = [Math.min(from, at), Math.max(to, at)];
  const instants: number[] = [];
  for (let at = Math.floor(from) + aheadDays; at + aheadDays <= to; at += aheadDays) instants.push(at);
  return {
    from,
    to,
    instants,
    between: (first, last) =>
      asked(
        journeys,
        instants.filter((at) => at >= first && at + aheadDays <= last),
        aheadDays,
        lookBackDays,
      ),
  };
}

function asked(
  journeys: readonly Journey[],
  instants: readonly number[],
  aheadDays: number,
  lookBackDays: number,
): Rows {
  const seen: Seen[] = [];
  const [came, person]: [number[], number[]] = [[], []];
  let people = 0;
  for (const { touches, conversions } of journeys) {
    let isAsked = false;
    for (const at of instants) {
      const inSight = touches.filter((it) => it.at <= at && it.at > at - lookBackDays);
      if (inSight.length === 0) continue;
      isAsked = true;
      seen.push({ at, touches: inSight });
      came.push(conversions.some((it) => it > at && it <= at + aheadDays) ? 1 : 0);
      person.push(people);
    }
    if (isAsked) people += 1;
  }
  const yes = Float64Array.from(came);
  return { seen, came: yes, didNot: yes.map((it) => 1 - it), person: Uint32Array.from(person), people };
}
