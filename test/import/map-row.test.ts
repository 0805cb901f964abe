// Scope: what a mapping makes of one row.
import { describe, expect, test } from 'vitest';
import { checkColumns } from '../../lib/import/columns.ts';
import { rowMapper } from '../../lib/import/map-row.ts';
import { readMapping } from '../../lib/import/mapping.ts';

const order = `
  - type: order_paid
    id: [no]
    time: at
    identifiers: [{ kind: member_id, value: '{member}' }, { kind: anonymous_id, value: 'till-{no}', fallback: true }]
    properties:
      order_id: '{no}'
      paid_amount: { money: amount }
      currency: CNY
      items: { integer: items }
      weight: { number: weight }
      gift: { flag: gift }
    traits: { city: '{city}' }
    context: { campaign: { channel: sms, name: 'spring-{wave|integer}' } }`;

const cells = { no: 'A1', at: '2026-11-11T00:00:00+08:00', member: ' m-1 ', amount: '268', currency: 'CNY' };

function mapped(rows: readonly Record<string, string>[], rules = order, head = '') {
  const map = rowMapper(
    readMapping(`name: test\ncurrency: CNY\n${head}rules:${rules}`, 'test.yaml'),
    undefined,
  );
  return rows.map((row, i) => {
    const made = map({ lines: [[i + 2, i + 2]], rows: 1, row: { get: (name) => row[name] } });
    if (made.kind === 'event') return JSON.parse(made.json);
    return made.kind === 'refused' ? made.refusal.reason : `skipped: ${made.why}`;
  });
}

test('a row becomes an event as the generic channel takes it', () => {
  const row = { ...cells, items: '3.0', weight: '1.50', gift: '是', city: '杭州', wave: '7.0' };
  expect(mapped([row])).toEqual([
    {
      event_id: 'test:A1',
      type: 'order_paid',
      timestamp: '2026-11-10T16:00:00.000Z',
      identifiers: [{ kind: 'member_id', value: 'm-1' }],
      properties: { order_id: 'A1', paid_amount: 26800, currency: 'CNY', items: 3, weight: 1.5, gift: true },
      traits: { city: '杭州' },
      context: { campaign: { channel: 'sms', name: 'spring-7' } },
    },
  ]);
});

test('an empty column leaves out what is made of it; a fallback says who only where nobody else does', () => {
  const [event] = mapped([{ ...cells, member: '' }]);
  expect(event.identifiers).toEqual([{ kind: 'anonymous_id', value: 'till-A1' }]);
  expect(event.properties).toEqual({ order_id: 'A1', paid_amount: 26800, currency: 'CNY' });
  expect(event.traits).toBeUndefined();
  expect(event.context.campaign).toEqual({ channel: 'sms' });
});

describe('a row that cannot be an event is refused with its reason', () => {
  test.each([
    ['bad_time', { at: '2026-11-11 00:00' }],
    ['bad_property', { amount: '1,268.00' }],
    ['bad_property', { amount: '-1' }],
    ['bad_property', { items: '1.5' }],
    ['missing_property', { amount: '' }],
    ['missing_property', { no: '' }],
  ])('%s: %j', (reason, change) => {
    expect(mapped([{ ...cells, ...change }])).toEqual([reason]);
  });

  test('no_identifier: nobody did it', () => {
    expect(
      mapped(
        [{ ...cells, member: '' }],
        order.replace("{ kind: anonymous_id, value: 'till-{no}', fallback: true }", ''),
      ),
    ).toEqual(['no_identifier']);
  });

  test('repeated_id: the brand would keep the first and drop this one in silence', () => {
    expect(mapped([cells, { ...cells, amount: '1' }])[1]).toBe('repeated_id');
  });
});

test('the first rule that holds decides; a row of none is refused', () => {
  const rules = `
  - { when: { no: { matches: '^X' } }, skip: test orders }
  - { when: { amount: { below: 0 } }, refuse: paid less than nothing }
  - { when: { amount: { at_least: 0, at_most: 99.99 }, member: { present: true } }, refuse: small }${order.replace('- type', '- when: { currency: { equals: [CNY, RMB] } }\n    type')}`;
  const rows = [
    { no: 'X1' },
    { amount: '-0.01' },
    { amount: '99.99' },
    { amount: '100' },
    { currency: 'USD', amount: 'free' },
  ];
  const [test, below, small, big, other] = mapped(
    rows.map((row) => ({ ...cells, ...row })),
    rules,
  );
  expect([test, below, small, big.type, other]).toEqual([
    'skipped: test orders',
    'by_rule',
    'by_rule',
    'order_paid',
    'no_rule',
  ]);
});

test('ids of different columns never meet, whatever stands in them', () => {
  const rules = order.replace('id: [no]', 'id: [no, member]');
  const [a, b] = mapped(
    [
      { ...cells, no: 'a:b', member: 'c' },
      { ...cells, no: 'a', member: 'b:c' },
    ],
    rules,
  );
  expect(a.event_id).not.toBe(b.event_id);
});

test('minor units stay as they are, of a currency that the row names, and a sign can be turned', () => {
  const rules = order.replace(
    '{ money: amount }',
    "{ money: amount, unit: minor, negate: true, currency: '{currency}' }",
  );
  expect(mapped([{ ...cells, amount: '-268.0' }], rules)[0].properties.paid_amount).toBe(268);
  expect(mapped([{ ...cells, amount: '-268.5' }], rules)).toEqual(['bad_property']);
});

describe('a mapping that cannot be meant so is refused before anything is read', () => {
  const read = (yaml: string) => rowMapper(readMapping(yaml, 'm.yaml'), ['no']);

  test.each([
    ['rule 2', 'name: a\nrules:\n  - { skip: all }\n  - { type: order_paid }'],
    ['not YAML', 'name: [a'],
    ['name', 'rules:\n  - { skip: all }'],
    ['filter', `name: a\ncurrency: CNY\nrules:${order.replace('|integer', '|round')}`],
    ['open bracket', `name: a\ncurrency: CNY\nrules:${order.replace("'{city}'", "'{city'")}`],
    ['no currency', `name: a\nrules:${order}`],
    ['needs a zone', `name: a\ncurrency: CNY\ntime: yyyy-MM-dd\nrules:${order}`],
  ])('it says what: %s', (words, yaml) => {
    expect(() => read(yaml)).toThrow(words);
  });

  test('a column that the file does not have is named, with those that it has', () => {
    const mapping = readMapping(`name: a\ncurrency: CNY\nrules:${order}`, 'm.yaml');
    expect(() =>
      checkColumns(mapping, ['no', 'at', 'member', 'items', 'weight', 'gift', 'city', 'wave']),
    ).toThrow('reads amount, which the file does not have: its columns are no, at');
  });
});
