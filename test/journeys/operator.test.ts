// Scope: what the people who run a brand do with it: rules, keys, quarantine; and whom it turns away.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { sendGeneric, sendTracking } from '../../lib/channels/sign.ts';
import { MINUTE } from '../../lib/platform/clock.ts';
import { type Visitor, visitorOf } from './visitor.ts';

let run: Run;
let visitor: Visitor;
beforeAll(async () => {
  run = await startRun({ brand: 'demo', clockAt: Date.parse('2026-11-11T10:00:00+08:00') });
  visitor = visitorOf(run);
  await visitor.tell({
    batch: [40_000, 90_000, 160_000].map((amount, i) => ({
      type: 'order.paid',
      timestamp: visitor.ago(MINUTE),
      data: { order_id: `O-${i}`, amount, currency: 'CNY', member_id: `M-${i}` },
    })),
  });
  await visitor.settled();
});
afterAll(() => run?.stop());

const page = z.object({
  profiles: z.array(z.object({ identifiers: z.array(z.object({ value: z.string() })) })),
  next: z.string().optional(),
});
const holders = async (tag: string) => {
  const found: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { profiles, next } = await visitor.ask(
      `/tags/${tag}/profiles?limit=1${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      page,
    );
    found.push(...profiles.flatMap(({ identifiers }) => identifiers.map(({ value }) => value)));
    if (next === undefined) return found.sort();
    cursor = next;
  }
};

describe('a rule', () => {
  test('that is put in force is there for everybody who was known before', async () => {
    const put = await visitor.put('/rules/big_basket', 'events("order_paid").max("paid_amount") >= 80000');
    expect(JSON.parse(put.text)).toMatchObject({ rule: { tag: 'big_basket', version: 2 } });
    await visitor.settled();
    expect(await holders('big_basket')).toEqual(['M-1', 'M-2']);
    expect((await visitor.profile('member_id', 'M-1')).tags.big_basket).toMatchObject({
      value: true,
      version: 2,
    });
  });

  test('of a new tag counts what came before it, and is gone for whom a later version leaves out', async () => {
    const rule = {
      name: { zh: '十一', en: 'Eleventh' },
      values: {
        vast: 'events("order_paid").sum("paid_amount") > 150000',
        some: 'events("order_paid").any()',
      },
    };
    expect((await visitor.put('/rules/eleventh', JSON.stringify(rule))).status).toBe(200);
    await visitor.settled();
    expect(await holders('eleventh')).toEqual(['M-0', 'M-1', 'M-2']);
    expect((await visitor.profile('member_id', 'M-2')).tags.eleventh?.value).toBe('vast');
    expect(
      (
        await visitor.put(
          '/rules/eleventh',
          'hasTag("big_basket") && events("order_paid").sum("paid_amount") < 100000',
        )
      ).status,
    ).toBe(200);
    await visitor.settled();
    expect(await holders('eleventh')).toEqual(['M-1']);
  });

  test('that is wrong is answered with the place, and changes nothing', async () => {
    const { status, text } = await visitor.put('/rules/big_basket', 'events("order_paid").count() > "b"');
    expect(status).toBe(422);
    expect(JSON.parse(text)).toMatchObject({
      error: { reason: 'bad_rule', type: 'type', line: 1, column: 1, caret: expect.stringContaining('\n^') },
    });
    expect(
      await visitor.ask('/rules/big_basket', z.looseObject({ rule: z.looseObject({ version: z.int() }) })),
    ).toMatchObject({ rule: { version: 2 } });
  });
});

describe('keys', () => {
  test('without a valid one, nobody learns anything', async () => {
    const paths = [
      '/profiles/member_id/M-1',
      '/profiles/member_id/M-1/events',
      '/profiles/member_id/M-1/conversions',
      '/profiles/member_id/M-1/tags/stage/explain',
      '/tags',
      '/tags/stage/profiles',
      '/rules',
      '/rules/stage',
      '/attribution',
      '/conversions/x.y',
      '/reviews',
      '/quarantine',
    ];
    for (const path of paths)
      expect((await visitor.get(path, 'a-key-that-nobody-gave')).status, path).toBe(401);
    expect((await fetch(`${run.url}/tags`)).status).toBe(401);
  });

  test('an operator reads and changes no rule', async () => {
    const { operator } = run.keys;
    expect((await visitor.get('/rules', operator)).status).toBe(200);
    expect((await visitor.put('/rules/big_basket', 'true', operator)).status).toBe(403);
    expect((await visitor.get('/quarantine?body=true', operator)).status).toBe(403);
  });

  test('what is not there is 404, and what cannot be asked is 400', async () => {
    const status = async (path: string) => (await visitor.get(path)).status;
    expect(await status('/profiles/member_id/nobody')).toBe(404);
    expect(await status('/tags/no_such_tag/profiles')).toBe(404);
    expect(await status('/conversions/nobody.nothing')).toBe(404);
    expect(await status('/nowhere')).toBe(404);
    expect(await status('/attribution?model=magic')).toBe(400);
    expect(await status('/profiles/member_id/M-1/events?limit=0')).toBe(400);
    expect(await status('/tags/stage/profiles?cursor=mine')).toBe(400);
  });

  test('the API says of itself what it answers', async () => {
    const answer = await fetch(`${run.url}/openapi.json`);
    const document = z.looseObject({ paths: z.record(z.string(), z.unknown()) }).parse(await answer.json());
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/tags', '/attribution', '/conversions/{id}']),
    );
  });
});

describe('who is turned away', () => {
  const order = JSON.stringify({
    type: 'order.paid',
    data: { order_id: 'X', amount: 1, currency: 'CNY', member_id: 'M-1' },
  });
  const pos = () => visitor.senders.pos ?? { account: '', key: '' };
  const refused = async (
    statuses: Readonly<Record<string, number>>,
    seen: Readonly<Record<string, number>>,
  ) => expect(seen).toEqual(statuses);

  test('whoever forges a signature, or signs with another time', async () => {
    const { account, key } = pos();
    const good = sendGeneric(account, order, key, 'm1', visitor.now());
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const status = async (request: typeof good) => (await visitor.send(request)).status;
    const followed = visitor.sealed({
      FromUserName: 'o-x',
      CreateTime: '1',
      MsgType: 'event',
      Event: 'subscribe',
    });
    await refused(
      {
        'another key': 401,
        'another body': 401,
        'another id': 401,
        'too old': 401,
        'too early': 401,
        'no such account': 404,
        'WeChat, forged': 401,
        'another write key': 401,
      },
      {
        'another key': await status(sendGeneric(account, order, other, 'm1', visitor.now())),
        'another body': await status({ ...good, body: order.replace('1,', '2,') }),
        'another id': await status({ ...good, headers: { ...good.headers, 'webhook-id': 'm2' } }),
        'too old': await status(sendGeneric(account, order, key, 'm1', visitor.now() - 5.1 * MINUTE)),
        'too early': await status(sendGeneric(account, order, key, 'm1', visitor.now() + 5.1 * MINUTE)),
        'no such account': await status({ ...good, path: '/webhooks/generic/nobody' }),
        'WeChat, forged': await status({
          ...followed,
          rawQuery: followed.rawQuery.replace(/msg_signature=../, 'msg_signature=zz'),
        }),
        'another write key': await status(
          sendTracking('track', '{"event":"x","userId":"M-1"}', 'not_a_write_key'),
        ),
      },
    );
  });

  test('whoever sends too much at once', async () => {
    const { account, key } = pos();
    const of = (body: string) => visitor.send(sendGeneric(account, body, key, 'm3', visitor.now()));
    const many = Array.from({ length: 501 }, () => ({ type: 'x', data: { member_id: 'M-1' } }));
    expect((await of(JSON.stringify({ batch: many }))).status).toBe(413);
    expect(
      (await of(JSON.stringify({ type: 'x', data: { member_id: 'M-1', blob: 'x'.repeat(257 * 1024) } })))
        .status,
    ).toBe(413);
    const writeKey = visitor.senders.web?.writeKey ?? '';
    const call = {
      type: 'track',
      event: 'x',
      userId: 'M-1',
      properties: { blob: 'x'.repeat(2 * 1024 * 1024) },
    };
    expect((await visitor.send(sendTracking('track', JSON.stringify(call), writeKey))).status).toBe(413);
  });

  test('and nothing of it is in anybody’s profile or in quarantine', async () => {
    await visitor.settled();
    const { events } = await visitor.ask(
      '/profiles/member_id/M-1/events',
      z.object({ events: z.array(z.unknown()) }),
    );
    expect(events).toHaveLength(1);
    expect(await visitor.ask('/quarantine', z.object({ items: z.array(z.unknown()) }))).toEqual({
      items: [],
    });
  });
});
