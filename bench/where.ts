// Where units go: calls of a table, summed by operation and kind of row.
import type { Call } from './metered.ts';

/** One line for each operation and kind of row, the dearest first; units are per event. */
export function whereUnitsGo(stage: string, calls: readonly Call[], events: number): string[] {
  const groups = [...Map.groupBy(calls, ({ operation, rows }) => `${operation} ${rows}`)].map(
    ([name, list]) => ({
      name,
      requests: list.length,
      writes: total(list, (it) => it.writeUnits),
      index: total(list, (it) => it.indexUnits),
      reads: total(list, (it) => it.readUnits),
      bytes: total(list, (it) => it.bytes),
    }),
  );
  const price = (it: (typeof groups)[number]) => 5 * (it.writes + it.index) + it.reads;
  return groups
    .sort((a, b) => price(b) - price(a))
    .map(
      (it) =>
        `${stage.padEnd(12)} ${it.name.padEnd(12)} requests ${per(it.requests)}  write units ${per(it.writes)}  index ${per(it.index)}  read units ${per(it.reads)}  (mean ${Math.round(it.bytes / it.requests)} bytes)`,
    );
  function per(value: number): string {
    return (value / events).toFixed(3);
  }
}

const total = (list: readonly Call[], of: (it: Call) => number) => list.reduce((sum, it) => sum + of(it), 0);

/** Read and write units of some calls together, indexes included. */
export const unitsOf = (calls: readonly Call[]): number =>
  total(calls, (it) => it.readUnits + it.writeUnits + it.indexUnits);
