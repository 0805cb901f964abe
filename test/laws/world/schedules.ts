import type { Fault, FaultKind, Point } from './faults.ts';

const onRead = ['crash-before', 'throttle'] as const satisfies FaultKind[];
const onWrite = ['crash-before', 'crash-after', 'lost-reply', 'throttle'] as const satisfies FaultKind[];
const kinds = (point: Point) => (point.writes ? onWrite : onRead);

/** Every fault alone: each I/O point of an undisturbed run, each kind that makes a difference there. */
export function* singles(points: readonly Point[]): Generator<Fault[]> {
  for (const point of points) for (const kind of kinds(point)) yield [{ at: point.at, kind }];
}

/**
 * Every two faults that are at most `apart` I/O points from each other. What the second one meets is not what the
 * undisturbed run met there (the first fault changed the way), so it is of every kind.
 */
export function* pairs(points: readonly Point[], apart = 6): Generator<Fault[]> {
  for (const point of points)
    for (const kind of kinds(point))
      for (let by = 1; by <= apart; by++)
        for (const second of onWrite)
          yield [
            { at: point.at, kind },
            { at: point.at + by, kind: second },
          ];
}

/** Singles and pairs: all the plans that an undisturbed run's points give. */
export function* schedules(points: readonly Point[], apart = 6): Generator<Fault[]> {
  yield* singles(points);
  yield* pairs(points, apart);
}
