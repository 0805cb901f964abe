import { type CountedPaths, pathCounter } from './paths.ts';
import type { Journey } from './prediction-file.ts';

/**
 * The paths of journeys that ended within a time, for models of all paths together: before each conversion the touches
 * of its look-back since the conversion before, and what came to nothing after the last one.
 *
 * A path whose last touch is younger than the look-back at `to` may still convert, and is left out.
 *
 * @param from a path that ended at it is left out, one that ended at `to` is not
 */
export function pathsEnded(
  journeys: readonly Journey[],
  { from, to, lookBackDays }: { readonly from: number; readonly to: number; readonly lookBackDays: number },
): CountedPaths {
  const counter = pathCounter();
  const count = (touches: Journey['touches'], isConversion: boolean) =>
    counter.add(
      touches.map(({ channel }) => counter.numberOf(channel)),
      { conversions: isConversion ? 1 : 0, value: 0, nulls: isConversion ? 0 : 1 },
    );
  for (const { touches, conversions } of journeys) {
    let since = Number.NEGATIVE_INFINITY;
    for (const at of conversions) {
      if (at > to) break;
      if (at > from)
        count(
          touches.filter((it) => it.at <= at && it.at > since && it.at >= at - lookBackDays),
          true,
        );
      since = at;
    }
    const rest = touches.filter((it) => it.at > since && it.at <= to);
    const last = rest.at(-1)?.at;
    if (last !== undefined && last > from - lookBackDays && last + lookBackDays <= to)
      count(
        rest.filter((it) => it.at >= last - lookBackDays),
        false,
      );
  }
  return counter.counted();
}
