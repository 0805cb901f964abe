// Scope: what a brand keeps: through repetition, through a restart, and through a fault that is mended.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { demo } from '../../infra/brands/demo.ts';
import { checkBrand } from '../../infra/brands/load.ts';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { type Visitor, visitorOf } from './visitor.ts';

const clockAt = Date.parse('2026-11-11T10:00:00+08:00');
let data: string;
let run: Run | undefined;
let visitor: Visitor;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'siyu-kept-'));
  run = await startRun({ brand: 'demo', data, clockAt });
  visitor = visitorOf(run);
});
afterAll(async () => {
  await run?.stop();
  await rm(data, { recursive: true, force: true });
});

const quarantine = z.object({
  items: z.array(z.object({ id: z.string(), reason: z.string(), replayedAt: z.string().optional() })),
});
const refusal = z.object({ error: z.object({ reason: z.string() }) });

test('a fault beside good events keeps none of them out', async () => {
  const reply = await visitor.tell({
    batch: [
      {
        type: 'order.paid',
        timestamp: visitor.ago(HOUR),
        data: { order_id: 'K-1', amount: 12_900, currency: 'CNY', member_id: 'M-1', unionid: 'u-1' },
      },
      {
        type: '会员到店',
        timestamp: visitor.ago(HOUR),
        data: { event_id: 'visit-1', member_id: 'M-1', store_id: 'SH01' },
      },
      {
        type: 'points.changed',
        timestamp: visitor.ago(HOUR),
        data: { account: 'points', delta: 129, member_id: 'M-1' },
      },
    ],
  });
  expect(reply).toEqual({ accepted: 2, faults: [expect.objectContaining({ index: 1, reason: 'bad_type' })] });
  await visitor.wechat({
    FromUserName: 'o-1',
    CreateTime: String(clockAt / 1000),
    MsgType: 'event',
    Event: 'subscribe',
    EventKey: '',
  });
  await visitor.track('page', {
    messageId: 'p-1',
    anonymousId: 'browser-1',
    timestamp: visitor.ago(2 * HOUR),
    properties: { url: 'https://shop.example.com/?utm_source=douyin' },
  });
  await visitor.track('identify', {
    messageId: 'p-2',
    anonymousId: 'browser-1',
    userId: 'M-1',
    timestamp: visitor.ago(1.5 * HOUR),
  });
  await visitor.settled();
  const { items } = await visitor.ask('/quarantine', quarantine);
  expect(items).toMatchObject([{ reason: 'bad_type' }]);
});

test('everything said once more, signed anew, changes nothing at all', async () => {
  await visitor.clock({ advance: '1m' }); // the first minute notes the rules of the file
  const before = await visitor.digest();
  await visitor.repeat();
  await visitor.settled();
  expect(await visitor.digest()).toBe(before);
});

test('replaying what is still a fault says so and leaves it where it is', async () => {
  const [fault] = (await visitor.ask('/quarantine', quarantine)).items;
  const { status, text } = await visitor.post(`/quarantine/${encodeURIComponent(fault?.id ?? '')}/replay`);
  expect([status, refusal.parse(JSON.parse(text)).error.reason]).toEqual([422, 'bad_type']);
  expect((await visitor.post('/quarantine/2026-11-11~0000000000000000/replay')).status).toBe(404);
});

test('after a restart with the mended brand all is as it was, and what was a fault becomes the event it should have been', async () => {
  const before = await visitor.digest();
  await run?.stop();
  run = undefined;
  const { pos, ...others } = demo.channels.generic ?? {};
  const mended = checkBrand(
    {
      ...demo,
      channels: {
        ...demo.channels,
        generic: { ...others, pos: { ...pos, types: { 会员到店: 'store_visited' } } },
      },
    },
    'the mended brand',
  );
  run = await startRun({ brand: mended, data });
  visitor = visitorOf(run);
  expect(visitor.now()).toBeGreaterThanOrEqual(clockAt);
  expect(await visitor.digest()).toBe(before);

  const [fault] = (await visitor.ask('/quarantine', quarantine)).items;
  const replay = () => visitor.post(`/quarantine/${encodeURIComponent(fault?.id ?? '')}/replay`);
  expect((await replay()).status).toBe(200);
  await visitor.settled();
  const replayed = await visitor.digest();
  expect(replayed).not.toBe(before);
  const journal = z.object({ events: z.array(z.object({ type: z.string() })) });
  const types = (await visitor.ask('/profiles/member_id/M-1/events', journal)).events.map(({ type }) => type);
  expect(types.sort()).toEqual([
    'identity_linked',
    'order_paid',
    'page_viewed',
    'points_changed',
    'store_visited',
  ]);
  expect((await visitor.ask('/quarantine', quarantine)).items[0]?.replayedAt).toBeDefined();

  expect((await replay()).status).toBe(200); // replaying is safe at any time
  await visitor.settled();
  const journalAfter = (await visitor.ask('/profiles/member_id/M-1/events', journal)).events;
  expect(journalAfter).toHaveLength(types.length);
});
