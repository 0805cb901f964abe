import { describe, expect, test } from 'vitest';
import { sendGeneric, signWechat } from '../../lib/channels/sign.ts';
import { type Event, eventsMessage, type Fault } from '../../lib/events/event.ts';
import type { Role } from '../../lib/platform/brand-words.ts';
import { DAY } from '../../lib/platform/clock.ts';
import { RejectedError } from '../../lib/platform/errors.ts';
import { httpHandler } from '../../lib/platform/http.ts';
import { keys } from '../../lib/platform/keys.ts';
import { quarantineApi } from '../../lib/quarantine/api.ts';
import { putFaults, quarantineStore, unreadable } from '../../lib/quarantine/store.ts';
import { aBrand, aCapture, NOW, oa, teahouse, toLambda } from '../channels/captured.ts';
import { memoryTable } from '../platform/memory.ts';

/** The quarantine of a brand, behind its API. */
function aQuarantine(over: { brand?: ReturnType<typeof aBrand>; now?: number; role?: Role } = {}) {
  const table = memoryTable();
  const bodies: string[] = [];
  const brand = over.brand ?? aBrand();
  const settings = { brand };
  const handler = httpHandler(
    () => ({
      get brand() {
        return settings.brand;
      },
      table,
      queue: { send: async (sent: readonly string[]) => void bodies.push(...sent) },
      now: () => over.now ?? NOW,
      authorize: async (headers: Readonly<Record<string, string>>) => {
        if (headers.authorization !== 'Bearer key') throw new RejectedError('unauthorized', 'no', 401);
        return {
          role: over.role ?? ('admin' as const),
          name: 'Li',
          reason: headers['x-reason'] || undefined,
        };
      },
    }),
    quarantineApi,
  );
  const call = async (
    method: string,
    rawQuery = '',
    id?: string,
    authorization = 'Bearer key',
    reason = 'ticket 7',
  ) => {
    const path = id === undefined ? '/quarantine' : `/quarantine/${id}/replay`;
    const event = toLambda({
      method,
      path,
      rawQuery,
      headers: { authorization, 'x-reason': reason },
      body: '',
    });
    const reply = await handler({ ...event, pathParameters: id === undefined ? {} : { id } }, {} as never);
    return { status: reply.statusCode, ...JSON.parse(reply.body ?? '{}') };
  };
  const events = (): Event[] => bodies.flatMap((body) => eventsMessage.parse(JSON.parse(body)).events);
  return { table, brand, bodies, events, call, settings };
}

/** What capture makes of a row that lacks its currency, and of a broken message of WeChat. */
async function someFaults(): Promise<Fault[]> {
  const { send, faults } = aCapture();
  const row = { type: 'order.paid', data: { order_id: 'o1', amount: 5, member_id: 'M1', event_id: 'e1' } };
  await send(sendGeneric('pos', JSON.stringify([row]), teahouse.whsec, 'msg_1', NOW));
  await send(signWechat('<xml><Event>subscribe', oa, NOW, 'n'));
  return faults();
}

describe('quarantine', () => {
  test('a fault that is put again is one row, which goes when the brand says so', async () => {
    const { table, brand } = aQuarantine();
    const faults = await someFaults();
    await putFaults(table, faults, brand);
    await putFaults(table, faults, brand);
    const rows = [];
    for await (const row of table.query(keys.quarantine('2025-10-09', '').pk)) rows.push(row);
    expect(rows).toHaveLength(2);
    expect(rows.map((row) => row.ttl)).toEqual([1, 1].map(() => NOW / 1000 + 30 * 86_400));
  });

  test('the same broken message, delivered again by its sender, is the same fault', async () => {
    const [first, again] = [await someFaults(), await someFaults()];
    expect(again.map((fault) => fault.id)).toEqual(first.map((fault) => fault.id));
    expect(new Set(first.map((fault) => fault.id)).size).toBe(2);
  });

  test('is listed by brand-day, newest first, page after page, without bodies', async () => {
    const { table, brand, call } = aQuarantine({ now: NOW + 3 * DAY });
    const [fault] = await someFaults();
    const faults = [0, 0, 1, 3].map((days, n) => ({
      ...fault!,
      id: `fault_${String(n).padStart(10, '0')}`,
      receivedAt: new Date(NOW + days * DAY).toISOString(),
    }));
    await putFaults(table, faults, brand);
    const ids: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await call('GET', `limit=1${cursor && `&cursor=${cursor}`}`);
      ids.push(...page.items.map((item: { id: string }) => item.id));
      expect(JSON.stringify(page)).not.toContain('M1');
      if (!page.next) break;
      cursor = page.next;
    }
    expect(ids).toEqual([
      '2025-10-12~fault_0000000003',
      '2025-10-10~fault_0000000002',
      '2025-10-09~fault_0000000000',
      '2025-10-09~fault_0000000001',
    ]);
  });

  test('bodies may be personal: an admin may see them, an operator may not, a stranger sees nothing', async () => {
    const admin = aQuarantine();
    await putFaults(admin.table, await someFaults(), admin.brand);
    expect(JSON.stringify(await admin.call('GET', 'body=true'))).toContain('M1');
    expect(await admin.call('GET', 'body=true', undefined, undefined, '')).toMatchObject({ status: 403 });
    const operator = aQuarantine({ role: 'operator' });
    expect(await operator.call('GET', 'body=true')).toMatchObject({ status: 403 });
    expect(await admin.call('GET', '', undefined, 'Bearer wrong')).toMatchObject({ status: 401 });
    expect(await admin.call('POST', '', '2025-10-09~fault_0000000000', 'Bearer wrong')).toMatchObject({
      status: 401,
    });
  });

  test('what still cannot be read says why and stays', async () => {
    const { table, brand, bodies, call } = aQuarantine();
    await putFaults(table, await someFaults(), brand);
    const { items } = await call('GET');
    for (const { id, reason } of items)
      expect(await call('POST', '', id)).toMatchObject({ status: 422, error: { reason } });
    expect(bodies).toEqual([]);
    expect((await call('GET')).items.map((item: { replayedAt?: string }) => item.replayedAt)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('after a fix it becomes the event that it would have been, however often it is replayed', async () => {
    const { table, brand, events, call, settings } = aQuarantine();
    const { send, faults } = aCapture();
    const row = {
      type: '会员到店',
      timestamp: '2025-10-09T16:53:20+08:00',
      data: { member_id: 'M1', event_id: 'e1' },
    };
    const request = sendGeneric('pos', JSON.stringify([row]), teahouse.whsec, 'msg_1', NOW);
    await send(request);
    expect(faults()).toMatchObject([{ reason: 'bad_type' }]);
    await putFaults(table, faults(), brand);
    const [{ id }] = (await call('GET')).items;
    expect(await call('POST', '', id)).toMatchObject({ status: 422 });

    const scopes = { member_id: 'brand:qinghe' };
    settings.brand = aBrand({
      channels: { generic: { pos: { secret: 'pos', scopes, types: { 会员到店: 'store_visited' } } } },
    });
    expect(await call('POST', '', id)).toMatchObject({ status: 200, replayed: true });
    expect(await call('POST', '', id)).toMatchObject({ status: 200, replayed: true });
    const fixed = aCapture({ brand: settings.brand });
    await fixed.send(request);
    expect(events()).toEqual([fixed.events()[0], fixed.events()[0]]);
    expect((await call('GET')).items).toMatchObject([{ id, replayedAt: new Date(NOW).toISOString() }]);
    await putFaults(table, faults(), brand);
    expect((await call('GET')).items).toMatchObject([{ replayedAt: new Date(NOW).toISOString() }]);
  });

  test('a long body is kept compressed and is whole when it is replayed', async () => {
    const { send, faults } = aCapture();
    const long = { type: 'visit', data: { member_id: 'M1', note: '汉字'.repeat(20_000) } };
    await send(sendGeneric('pos', JSON.stringify(long), teahouse.whsec, 'msg_l', NOW));
    expect(faults()).toMatchObject([{ reason: 'too_large' }]);
    expect(JSON.stringify(faults()[0]).length).toBeLessThan(10_000);
    const { table, brand, call } = aQuarantine();
    await putFaults(table, faults(), brand);
    const [{ id }] = (await call('GET')).items;
    expect(await call('POST', '', id)).toMatchObject({ status: 422, error: { reason: 'too_large' } });
  });

  test('a message of our own queue that nobody can read is kept whole and can be queued again', async () => {
    const { table, brand, bodies, call } = aQuarantine();
    await putFaults(table, [unreadable('{"version":9}', NOW)], brand);
    const [{ id }] = (await call('GET')).items;
    expect(await call('POST', '', id)).toMatchObject({ status: 200 });
    expect(bodies).toEqual(['{"version":9}']);
  });

  test('what is not there is not found', async () => {
    const { table, brand, call } = aQuarantine();
    expect(await call('POST', '', '2025-10-09~fault_0000000009')).toMatchObject({ status: 404 });
    expect(await call('POST', '', 'anything')).toMatchObject({ status: 404 });
    expect(await call('GET', 'cursor=anything')).toMatchObject({ status: 400 });
    await expect(quarantineStore(table, brand).get('2025-10-09~x')).rejects.toThrow('looks like');
  });
});
