// Scope: one customer's way through a running brand, from a nameless visit to a tag that time takes away.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { DAY, HOUR } from '../../lib/platform/clock.ts';
import { type Visitor, visitorOf } from './visitor.ts';

let run: Run;
let visitor: Visitor;
beforeAll(async () => {
  run = await startRun({ brand: 'demo', clockAt: Date.parse('2026-11-11T10:00:00+08:00') });
  visitor = visitorOf(run);
});
afterAll(() => run?.stop());

const explained = z.object({
  rule: z.string(),
  version: z.int(),
  value: z.union([z.boolean(), z.string()]),
  leaves: z.array(z.object({ text: z.string(), value: z.json() })),
  since: z.string().nullable(),
  nextChangeAt: z.string().optional(),
  events: z.array(z.object({ type: z.string(), properties: z.record(z.string(), z.json()) })),
});
const members = z.object({
  profiles: z.array(z.object({ profile: z.string() })),
  next: z.string().optional(),
});

const link = (source: string, campaign: string) =>
  `https://shop.example.com/?utm_source=${source}&utm_campaign=${campaign}`;

describe('a visitor who becomes a member', () => {
  test('is nobody known until she signs in, and one profile from then on', async () => {
    await visitor.track('batch', {
      batch: [
        {
          type: 'page',
          messageId: 'v1',
          anonymousId: 'browser-1',
          timestamp: visitor.ago(3 * DAY),
          context: { page: { url: link('douyin', 'autumn') } },
        },
        {
          type: 'track',
          event: 'Product Viewed',
          messageId: 'v2',
          anonymousId: 'browser-1',
          timestamp: visitor.ago(3 * DAY - HOUR),
          properties: { product_id: 'SERUM' },
        },
      ],
    });
    await visitor.tell({
      type: 'member.registered',
      timestamp: visitor.ago(2 * DAY),
      data: { member_id: 'M-1', phone: '13800138001', traits: { skin_type: 'sensitive' } },
    });
    await visitor.settled();
    const before = await visitor.profile('anonymous_id', 'browser-1');
    expect(before.id).not.toBe((await visitor.profile('member_id', 'M-1')).id);
    expect(before).toMatchObject({ stage: 'potential', traits: {} });

    await visitor.track('identify', {
      messageId: 'v3',
      anonymousId: 'browser-1',
      userId: 'M-1',
      timestamp: visitor.ago(DAY),
      traits: { city: '杭州' },
    });
    await visitor.settled();
    const member = await visitor.profile('member_id', 'M-1');
    expect(await visitor.profile('anonymous_id', 'browser-1')).toEqual(member);
    expect(member.traits).toMatchObject({ skin_type: 'sensitive', city: '杭州' });
    expect(member.tags).toMatchObject({ member: { value: true }, sensitive_skin: { value: true } });
    expect(member.firstSeenAt).toBe((await visitor.profile('phone', '13800138001')).firstSeenAt);
  });

  test('is shown to each role as far as the role may see', async () => {
    const phoneFor = async (key: string) => {
      const { identifiers } = await visitor.profile('member_id', 'M-1', key);
      return identifiers.find(({ kind }) => kind === 'phone')?.value;
    };
    expect(await phoneFor(run.keys.privacy)).toBe('+8613800138001');
    for (const key of [run.keys.admin, run.keys.operator]) expect(await phoneFor(key)).toBe('+8613****8001');
    const { identifiers } = await visitor.profile('member_id', 'M-1', run.keys.operator);
    expect(identifiers.map(({ value }) => value).filter((value) => !value.includes('***'))).toEqual([]);
  });

  test('buys, and the one touch that is known is credited with all of it in every model', async () => {
    await visitor.tell({
      type: 'order.paid',
      timestamp: visitor.ago(HOUR),
      data: { order_id: 'A-1', amount: 39_999, currency: 'CNY', member_id: 'M-1' },
    });
    await visitor.settled();
    const [order] = await visitor.conversions('member_id', 'M-1');
    expect(order).toMatchObject({
      reference: 'A-1',
      value: { amount: 39_999 },
      path: [{ channel: 'douyin' }],
    });
    for (const credits of Object.values(order?.models ?? {}))
      expect(credits).toMatchObject([{ touch: 0, ppm: 1_000_000, net: { amount: 39_999 } }]);
    expect(Object.keys(order?.models ?? {})).toHaveLength(run.brand.attribution.models.length);
  });

  test('touches that come in late restate the credit, to the last fen', async () => {
    await visitor.track('batch', {
      batch: ['xiaohongshu', 'wechat'].map((source, i) => ({
        type: 'page',
        messageId: `late-${i}`,
        anonymousId: 'browser-1',
        timestamp: visitor.ago(2 * DAY - i * 12 * HOUR),
        context: { page: { url: link(source, 'autumn') } },
      })),
    });
    await visitor.settled();
    const [order] = await visitor.conversions('member_id', 'M-1');
    expect(order?.path.map(({ channel }) => channel)).toEqual(['douyin', 'xiaohongshu', 'wechat']);
    expect(order?.models.linear?.map(({ ppm }) => ppm).sort()).toEqual([333_333, 333_333, 333_334]);
    expect(order?.models.first?.map(({ net }) => net.amount)).toEqual([39_999, 0, 0]);
    for (const credits of Object.values(order?.models ?? {})) {
      expect(credits.reduce((sum, { ppm }) => sum + ppm, 0)).toBe(1_000_000);
      expect(credits.reduce((sum, { net }) => sum + net.amount, 0)).toBe(39_999);
    }
  });

  test('a refund takes its part from everybody who was credited', async () => {
    await visitor.tell({
      type: 'order.refunded',
      timestamp: visitor.ago(HOUR / 2),
      data: { order_id: 'A-1', refund_id: 'R-1', amount: 10_000, currency: 'CNY', member_id: 'M-1' },
    });
    await visitor.settled();
    const [order] = await visitor.conversions('member_id', 'M-1');
    expect(order).toMatchObject({ refunded: { amount: 10_000 }, net: { amount: 29_999 } });
    for (const credits of Object.values(order?.models ?? {}))
      expect(credits.reduce((sum, { net }) => sum + net.amount, 0)).toBe(29_999);
    const alone = await visitor.ask(`/conversions/${order?.id}`, z.looseObject({ reference: z.string() }));
    expect(alone).toMatchObject({ ...order, others: [], othersCount: 0 });
  });

  test('the reports add up to the orders, whatever the model and however cut', async () => {
    for (const model of run.brand.attribution.models)
      for (const by of ['channel', 'campaign']) {
        const { rows, totals } = await visitor.report({ model, by, from: '2026-11-01', to: '2026-11-11' });
        expect(totals).toMatchObject({
          conversions: 1,
          ppm: 1_000_000,
          gross: 39_999,
          refunded: 10_000,
          net: 29_999,
        });
        for (const sum of ['ppm', 'gross', 'refunded', 'net'] as const)
          expect(
            rows.reduce((all, row) => all + row[sum], 0),
            `${model} ${sum}`,
          ).toBe(totals[sum]);
      }
  });
});

describe('a tag that time takes away', () => {
  const nurture = '/profiles/member_id/M-1/tags/first_order_nurture/explain';
  const holders = async () =>
    (await visitor.ask('/tags/first_order_nurture/profiles', members)).profiles.map(({ profile }) => profile);

  test('says by which rule and events it is held, and when that ends', async () => {
    const because = await visitor.ask(nurture, explained);
    expect(because).toMatchObject({
      value: true,
      version: 1,
      nextChangeAt: '2026-12-10T16:00:00.000Z', // the midnight that begins the thirtieth day after the order
      events: [{ type: 'order_paid', properties: { order_id: 'A-1' } }],
    });
    expect(because.since).toBe((await visitor.profile('member_id', 'M-1')).tags.first_order_nurture?.since);
    expect(because.leaves.map(({ value }) => value)).toEqual([1, true]);
  });

  test('is held until the last second of that day, and gone a minute into the next', async () => {
    const { id } = await visitor.profile('member_id', 'M-1');
    expect((await visitor.clock({ to: '2026-12-10T23:59:30+08:00' })).status).toBe(200);
    expect(await holders()).toEqual([id]);
    const walked = await visitor.clock({ to: '2026-12-11T00:01:05+08:00' });
    expect(JSON.parse(walked.text)).toMatchObject({ failed: 0, stuck: [] });
    expect(await holders()).toEqual([]);
    const profile = await visitor.profile('member_id', 'M-1');
    expect(profile.tags).not.toHaveProperty('first_order_nurture');
    expect(profile.tags).toHaveProperty('member');
    expect(await visitor.ask(nurture, explained)).toMatchObject({ value: false, since: null });
  });

  test('the stage goes its way alone: new, silent, lost', async () => {
    const stage = async () => (await visitor.profile('member_id', 'M-1')).stage;
    expect(await stage()).toBe('new');
    await visitor.clock({ to: '2027-01-11T00:02:00+08:00' });
    expect(await stage()).toBe('active');
    await visitor.clock({ to: '2027-02-10T00:02:00+08:00' });
    expect(await stage()).toBe('silent');
    await visitor.clock({ advance: '120d' });
    expect(await stage()).toBe('lost');
    const { profiles } = await visitor.ask('/tags/stage/profiles?value=lost', members);
    expect(profiles).toHaveLength(1);
  });

  test('the clock is never set back', async () => {
    const { status, text } = await visitor.clock({ to: '2026-11-11T00:00:00+08:00' });
    expect([status, text]).toEqual([400, expect.stringContaining('never moves back')]);
  });
});
