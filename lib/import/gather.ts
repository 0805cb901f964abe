import { add, type Decimal, decimalOf, decimalText, multiply, ONE, ZERO } from './decimal.ts';
import { firstOf, type Gathered, type Line, type Refusal } from './line.ts';
import type { GroupRule } from './mapping.ts';
import { openRecent } from './recent.ts';
import type { Row } from './template.ts';

export interface Gatherer {
  /** What is complete now that this row has been read, in an order that depends on the file alone. */
  take(line: Line): (Gathered | Refusal)[];
  /** What is complete because the file ends here. */
  end(): (Gathered | Refusal)[];
}

interface Open {
  readonly key: string;
  readonly first: Row;
  readonly lines: [number, number][];
  readonly sums: Map<string, Decimal>;
  /** Of its last row, counted from 0. */
  last: number;
  rows: number;
  fault?: { readonly reason: string; readonly message: string };
}

/** Each row by itself, or by the group's rule rows of one key as one. */
export const gatherer = (rule: GroupRule | undefined): Gatherer => (rule ? groups(rule) : single);

const single: Gatherer = {
  take: (line) => [
    'row' in line
      ? { lines: [[line.line, line.line]], rows: 1, row: line.row }
      : { lines: [[line.line, line.line]], rows: 1, reason: line.reason, message: line.message },
  ],
  end: () => [],
};

/**
 * Groups need not be contiguous, but a group whose next row is more than `gap` rows away has ended. A row that comes
 * after that is refused by its line (`late_line`): its group has gone out, and an order is not paid twice.
 *
 * Sums are exact and are rounded by nobody here. One number that cannot be read refuses its whole group: an order
 * of which a line is missing would be an order of another amount.
 */
function groups({ by, gap, same, sums }: GroupRule): Gatherer {
  // A Map keeps the order in which keys were put: the group that has been quiet for longest comes first.
  const open = new Map<string, Open>();
  const ended = openRecent();
  let at = 0;

  function close(group: Open): Gathered | Refusal {
    open.delete(group.key);
    ended.put(group.key, firstOf(group.lines));
    const { lines, rows, fault } = group;
    if (fault) return { lines, rows, ...fault };
    const texts = new Map([...group.sums].map(([name, sum]) => [name, decimalText(sum)]));
    return { lines, rows, row: { get: (column) => texts.get(column) ?? group.first.get(column) } };
  }

  function put(group: Open, line: number, row: Row): void {
    group.rows += 1;
    group.last = at;
    const last = group.lines.at(-1);
    if (last && last[1] + 1 === line) last[1] = line;
    else group.lines.push([line, line]);
    for (const column of same)
      if ((row.get(column) ?? '') !== (group.first.get(column) ?? ''))
        group.fault ??= {
          reason: 'lines_differ',
          message: `${column} of line ${line} is not that of the lines before`,
        };
    for (const [name, columns] of Object.entries(sums)) {
      let product = ONE;
      for (const column of columns) {
        const value = decimalOf(row.get(column) ?? '');
        if (value) product = multiply(product, value);
        else group.fault ??= { reason: 'bad_number', message: `${column} of line ${line} is not a number` };
      }
      group.sums.set(name, add(group.sums.get(name) ?? ZERO, product));
    }
  }

  return {
    take(line) {
      at += 1;
      const done: (Gathered | Refusal)[] = [];
      for (const group of open.values()) {
        if (at - group.last <= gap) break;
        done.push(close(group));
      }
      const alone = { lines: [[line.line, line.line]] as const, rows: 1 };
      if (!('row' in line)) return [...done, { ...alone, reason: line.reason, message: line.message }];
      const parts = by.map((column) => line.row.get(column)?.trim() ?? '');
      if (parts.every((part) => part === ''))
        return [...done, { ...alone, reason: 'no_group', message: `${by.join(', ')} is empty` }];
      const key = JSON.stringify(parts);
      const group = open.get(key);
      const before = group ? undefined : ended.lineOf(key);
      if (before !== undefined) {
        const message = `its group began at line ${before} and ended more than ${gap} rows ago: sort the file, or set a larger gap`;
        return [...done, { ...alone, reason: 'late_line', message }];
      }
      const into: Open = group ?? { key, first: line.row, lines: [], sums: new Map(), last: at, rows: 0 };
      put(into, line.line, line.row);
      open.delete(key);
      open.set(key, into);
      return done;
    },
    end: () => [...open.values()].map(close),
  };
}
