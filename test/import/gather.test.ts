// Scope: rows of one order become one, whatever stands between them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gatherer } from '../../lib/import/gather.ts';
import { isRefusal, type Line, rangesText } from '../../lib/import/line.ts';
import type { GroupRule } from '../../lib/import/mapping.ts';

const rule: GroupRule = { by: ['order'], gap: 3, same: [], sums: { total: ['quantity', 'price'] } };
const aLine = (line: number, cells: Record<string, string>): Line => ({
  line,
  row: { get: (name) => cells[name] },
});

function gathered(lines: readonly Line[], of: GroupRule = rule) {
  const gather = gatherer(of);
  return [...lines.flatMap((line) => gather.take(line)), ...gather.end()].map((it) => ({
    lines: rangesText(it.lines),
    rows: it.rows,
    ...(isRefusal(it) ? { reason: it.reason } : { order: it.row.get('order'), total: it.row.get('total') }),
  }));
}

const bought = (line: number, order: string, quantity = '1', price = '1.00') =>
  aLine(line, { order, quantity, price });

test('an order that another one interrupts is still one order, to the cent', () => {
  const lines = [bought(2, 'A', '3', '0.10'), bought(3, 'B', '1', '9.99'), bought(4, 'A', '-1', '0.001')];
  expect(gathered(lines)).toEqual([
    { lines: '3', rows: 1, order: 'B', total: '9.99' },
    { lines: '2,4', rows: 2, order: 'A', total: '0.299' },
  ]);
});

test('a line that comes after its order has gone out is refused, and the order is not paid twice', () => {
  const lines = [bought(2, 'A'), ...[3, 4, 5, 6].map((line) => bought(line, 'B')), bought(7, 'A')];
  expect(gathered(lines)).toEqual([
    { lines: '2', rows: 1, order: 'A', total: '1.00' },
    { lines: '7', rows: 1, reason: 'late_line' },
    { lines: '3-6', rows: 4, order: 'B', total: '4.00' },
  ]);
});

test('an order with one line that cannot be read is refused whole', () => {
  expect(gathered([bought(2, 'A'), bought(3, 'A', 'two')])).toEqual([
    { lines: '2-3', rows: 2, reason: 'bad_number' },
  ]);
});

test('lines that do not agree on the customer are refused together', () => {
  const lines = [aLine(2, { order: 'A', who: 'x' }), aLine(3, { order: 'A', who: 'y' })];
  expect(gathered(lines, { ...rule, same: ['who'], sums: {} })).toEqual([
    { lines: '2-3', rows: 2, reason: 'lines_differ' },
  ]);
});

test('every row is in exactly one group or refusal, and with a wide gap each order is one group', () => {
  const orders = fc.array(fc.constantFrom('', 'A', 'B', 'C', 'D', 'E'), { maxLength: 60 });
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 100 }), (names, gap) => {
      const found = gathered(
        names.map((order, i) => bought(i + 2, order, '1', '0.01')),
        { ...rule, gap },
      );
      expect(found.reduce((sum, { rows }) => sum + rows, 0)).toBe(names.length);
      const keys = found.flatMap((it) => ('order' in it ? [it.order] : []));
      expect(new Set(keys).size).toBe(keys.length);
      if (gap >= names.length)
        expect(found.filter((it) => 'reason' in it && it.reason === 'late_line')).toEqual([]);
    }),
  );
});
