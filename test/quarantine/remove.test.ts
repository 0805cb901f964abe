import { expect, test } from 'vitest';
import type { Fault, Identifier } from '../../lib/events/event.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { isNamed, namedInQuarantine, naming } from '../../lib/quarantine/remove.ts';
import { putFaults, unreadable } from '../../lib/quarantine/store.ts';
import { sharedOf } from '../laws/wiring.ts';
import { memoryTable } from '../platform/memory.ts';

const shared = sharedOf('Asia/Shanghai');
const phone: Identifier = { kind: 'phone', scope: 'e164', value: '+8613800000001' };
const email: Identifier = { kind: 'email', scope: 'rfc5322', value: 'li@shop.example' };
const member: Identifier = { kind: 'member_id', scope: 'shop', value: 'M-10001' };

const isNamedIn = (body: unknown, ...ids: Identifier[]): boolean => {
  const named = naming(ids);
  if (!named) throw new Error('too short');
  return isNamed(JSON.stringify(body), named);
};

test.each([
  ['as it is', { phone: '+8613800000001' }],
  ['without its country', { phone: '13800000001' }],
  ['as a number', { phone: 13800000001 }],
  ['as people write it', { note: 'call (+86) 138-0000 0001 at noon' }],
  ['in a form', { text: 'name=Li&phone=%2B8613800000001&x=1' }],
  ['in a table', { text: 'phone\tname\n13800000001\tLi\r\n' }],
  ['escaped in JSON that nobody could read', { text: '{"phone":"\\u002b8613800000001",' }],
  ['in JSON within JSON', { message: JSON.stringify({ raw: JSON.stringify({ phone: '13800000001' }) }) }],
])('a phone is found %s', (_, body) => {
  expect(isNamedIn(body, phone)).toBe(true);
});

test('other numbers are not taken for it', () => {
  for (const other of ['138000000012', '913800000001', 'a13800000001', '1380000000', '%138000000010'])
    expect(isNamedIn({ text: other }, phone), other).toBe(false);
});

test('other identifiers are found whatever their case, in forms too, and only whole', () => {
  expect(isNamedIn({ text: 'LI@Shop.Example' }, email)).toBe(true);
  expect(isNamedIn({ text: 'mail=li%40shop.example&x=1' }, email)).toBe(true);
  expect(isNamedIn({ text: 'wanli@shop.example' }, email)).toBe(false);
  expect(isNamedIn({ message: { member: 'm-10001' } }, member)).toBe(true);
  expect(isNamedIn({ message: { member: 'M-100012' } }, member)).toBe(false);
});

const AT = Date.UTC(2026, 10, 11, 15, 59); // a minute before midnight in Shanghai
const fault = (id: string, receivedAt: number, body: Fault['body']): Fault => ({
  ...{ id: id.padStart(16, '_'), reason: 'bad_event', message: 'no event', receivedAt: toIso(receivedAt) },
  ...{ source: { channel: 'generic', account: 'pos' }, body },
});

/** Ids of what would be removed of Li, an hour after the erasure. */
async function found(faults: readonly Fault[], now = AT + HOUR): Promise<string[]> {
  const table = memoryTable();
  await putFaults(table, faults, shared.brand);
  const deps = { table, rules: async () => shared.rules, now: () => now };
  const rows = await namedInQuarantine([phone], toIso(AT), deps);
  return rows.map(({ sk }) => sk.replace(/^_+/, '')).sort();
}

test('what came before an erasure is found as far back as quarantine goes, and what came after it stays', async () => {
  const body = { phone: phone.value };
  const kept = shared.brand.retention.quarantineDays * DAY;
  expect(
    await found([
      fault('oldest', AT - kept, body),
      fault('now', AT, body),
      fault('others', AT, { phone: '+8613900000002' }),
      fault('after', AT + 1, body),
      fault('tomorrow', AT + HOUR, body),
    ]),
  ).toEqual(['now', 'oldest']);
});

test('of a message that could not be read nobody knows when it came: it is found whenever it was read', async () => {
  const late = unreadable(`poison ${phone.value}`, AT + HOUR / 2); // the next brand-day
  expect(await found([late, unreadable('poison of nobody', AT)])).toEqual([late.id]);
});
