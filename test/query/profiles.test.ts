// Scope: who may see what of a profile, how it is found, and what is said when it is not.
import { beforeAll, describe, expect, test } from 'vitest';
import { aBrand, anEvent, anOrder, aRefund, aVisit, buyer, day } from '../profile/a-profile.ts';
import { aWorld, type World } from '../profile/a-world.ts';
import { aCaller } from './a-caller.ts';

const phone = 'phone:+8613800138000';
const mail = 'unverified_email:lin@example.com';
let world: World;
let caller: Awaited<ReturnType<typeof aCaller>>;

beforeAll(async () => {
  world = aWorld();
  await world.take(
    aVisit(0, { channel: 'wechat-oa', ids: ['member_id:lin-the-member', phone, 'wechat_openid@wx1:o-lin'] }),
    anEvent('profile_updated', 1, {
      ids: ['member_id:lin-the-member', mail],
      traits: { name: '林', city: '杭州', nickname: null },
    }),
    anOrder(2, 'order-1', 12_345, { ids: ['member_id:lin-the-member'] }),
    aVisit(3, { ids: ['member_id:chen', 'wechat_openid@wx2:o-both'] }),
    aVisit(4, { ids: ['member_id:wang', 'wechat_openid@wx3:o-both'] }),
  );
  await world.attribute();
  caller = await aCaller(world);
});

describe('a profile', () => {
  test('is answered with its identifiers, traits, tags, stage, scores and times', async () => {
    world.setClock(day(5));
    expect(await caller.ask('/profiles/member_id/lin-the-member', { as: 'admin' })).toEqual({
      id: (await world.cluster('member_id:lin-the-member')).id,
      identifiers: [
        { kind: 'member_id', scope: 'demo', value: 'lin-the-member' },
        { kind: 'phone', scope: 'e164', value: '+8613****8000' },
        { kind: 'wechat_openid', scope: 'wx1', value: 'o-lin' },
        { kind: 'unverified_email', scope: 'rfc5322', value: 'l***@example.com' },
      ],
      traits: { city: '杭州', name: '林' },
      tags: {
        active: { value: true, since: day(0), version: 1 },
        buyer: { value: true, since: day(2), version: 1 },
        stage: { value: 'fresh', since: day(2), version: 1 },
      },
      stage: 'fresh',
      rfm: { r: 5, f: 1, m: 1 },
      firstSeenAt: day(0),
      firstChannel: 'wechat-oa',
      lastSeenAt: day(2),
      lastChannel: 'generic',
      nextChangeAt: '2026-05-07T16:00:00.000Z', // the eighth of May in Shanghai: seven brand-days without a visit
      conflictsWith: [],
    });
  });

  test('is seen as of now: a window that ended since its last event has ended', async () => {
    world.setClock('2026-05-07T15:59:59.999Z');
    expect((await caller.ask('/profiles/member_id/lin-the-member')).tags).toHaveProperty('active');
    world.setClock('2026-05-07T16:00:00.000Z');
    const { tags } = await caller.ask('/profiles/member_id/lin-the-member');
    expect(Object.keys(tags)).toEqual(['buyer', 'stage']);
    world.setClock(day(5));
  });

  test.each([
    { as: 'operator', values: ['lin***ber', '+8613****8000', 'o***', 'l***@example.com'] },
    { as: 'admin', values: ['lin-the-member', '+8613****8000', 'o-lin', 'l***@example.com'] },
    { as: 'privacy', values: ['lin-the-member', '+8613800138000', 'o-lin', 'lin@example.com'] },
  ] as const)('shows the role $as what it may see', async ({ as, values }) => {
    const { identifiers } = await caller.ask('/profiles/member_id/lin-the-member', { as });
    expect(identifiers.map(({ value }: { value: string }) => value)).toEqual(values);
    const { events } = await caller.ask('/profiles/member_id/lin-the-member/events', { as });
    const seen = events.flatMap((it: { identifiers: { value: string }[] }) =>
      it.identifiers.map(({ value }) => value),
    );
    expect(new Set(seen)).toEqual(new Set(values));
  });

  test.each(['admin', 'privacy'] as const)(
    'shows the role %s masks, as long as it does not say why',
    async (as) => {
      const { identifiers } = await caller.ask('/profiles/member_id/lin-the-member', { as, reason: null });
      const values = identifiers.map(({ value }: { value: string }) => value);
      expect(values).toEqual(['lin***ber', '+8613****8000', 'o***', 'l***@example.com']);
      const said = await caller.ask('/profiles/member_id/lin-the-member?reason=ticket+7', {
        as,
        reason: null,
      });
      expect(said.identifiers[0].value).toBe('lin-the-member');
    },
  );

  test('names the profiles that it is in conflict with, and the conflict is up for review', async () => {
    const other = aWorld();
    await other.take(aVisit(0, { ids: ['member_id:a', phone] }));
    await other.take(aVisit(1, { ids: ['member_id:b'] }));
    await other.take(aVisit(2, { id: 'meeting', ids: ['member_id:b', phone] }));
    const { ask, askInVain } = await aCaller(other);
    const a = await ask('/profiles/member_id/a', { as: 'privacy' });
    const b = await ask('/profiles/member_id/b', { as: 'privacy' });
    expect(a.id).not.toBe(b.id);
    expect([a.conflictsWith, b.conflictsWith]).toEqual([[b.id], [a.id]]);
    expect(a.identifiers).toHaveLength(2);
    const { reviews } = await ask('/reviews', { as: 'privacy' });
    expect(reviews).toEqual([
      {
        id: expect.stringMatching(/^[\w-]+(\.[\w-]+)?$/),
        profile: a.id.split('~')[0],
        reason: 'conflict',
        occurredAt: day(2),
        event: 'meeting_________',
        identifiers: [
          { kind: 'member_id', scope: 'demo', value: 'b' },
          { kind: 'phone', scope: 'e164', value: '+8613800138000' },
        ],
      },
    ]);
    expect((await ask('/reviews')).reviews[0].identifiers[1].value).toBe('+8613****8000');
    const long = `email:${'x'.repeat(60)}@${'y'.repeat(180)}.example`; // longer still where it is stored
    await other.take(aVisit(3, { ids: ['member_id:a', long] }), aVisit(4, { ids: ['member_id:b', long] }));
    const first = await ask('/reviews?limit=1', { as: 'privacy' });
    const second = await ask(`/reviews?limit=1&cursor=${first.next}`, { as: 'privacy' });
    const all = await ask('/reviews', { as: 'privacy' });
    expect(all.reviews).toHaveLength(2);
    expect([...first.reviews, ...second.reviews]).toEqual(all.reviews);
    expect(JSON.stringify(all)).toContain(long.slice(6));
    expect(await askInVain('/reviews?cursor=what')).toMatchObject({ status: 400, reason: 'bad_cursor' });
  });
});

describe('an identifier is found', () => {
  test.each([
    ['as it is stored', 'phone/+8613800138000'],
    ['encoded', 'phone/%2B8613800138000'],
    ['without its country, where the brand is at home there', 'phone/13800138000'],
    ['with blanks and dashes', 'phone/138-0013%208000'],
    ['in its weak form, if nobody verified it', 'email/lin@example.com'],
    ['in capitals', 'email/Lin@Example.COM'],
    ['in whatever scope it was seen', 'wechat_openid/o-lin'],
    ['in the scope that is named', 'wechat_openid/o-lin?scope=wx1'],
  ])('%s', async (_how, path) => {
    const found = await caller.ask(`/profiles/${path}`, { as: 'admin' });
    expect(found.identifiers[0].value).toBe('lin-the-member');
  });

  test('whether the gateway decodes the path or not', async () => {
    const other = aWorld();
    await other.take(aVisit(0, { ids: ['member_id:a/b%2Fc+d'] }));
    const { ask, send } = await aCaller(other);
    const value = 'a/b%2Fc+d';
    const encoded = `/profiles/member_id/${encodeURIComponent(value)}`;
    await ask(encoded);
    for (const path of [encoded, `/profiles/member_id/${value}`])
      expect((await send(path, { params: { kind: 'member_id', value } })).status).toBe(200);
    const events = `/profiles/member_id/${value}/events`;
    expect((await send(events, { params: { kind: 'member_id', value } })).body.events).toHaveLength(1);
  });

  test('in the right person’s place, where two scopes have different owners', async () => {
    expect(await caller.askInVain('/profiles/wechat_openid/o-both')).toEqual({
      status: 409,
      reason: 'ambiguous',
      message:
        'several profiles have this wechat_openid, in different scopes: add ?scope= with one of wx2, wx3',
    });
    const { identifiers } = await caller.ask('/profiles/wechat_openid/o-both?scope=wx3', { as: 'admin' });
    expect(identifiers[0].value).toBe('wang');
  });
});

describe('what is not found says why', () => {
  test.each([
    ['nobody has it', '/profiles/member_id/nobody', 404, 'not_found', 'no profile has this member_id'],
    ['no such kind', '/profiles/memberid/m1', 404, 'unknown_kind', 'the standard kinds are member_id, wec'],
    ['another scope', '/profiles/wechat_openid/o-lin?scope=wx2', 404, 'not_found', 'no profile has this'],
    ['no phone', '/profiles/phone/123', 400, 'bad_identifier', 'has to be a phone number with its country'],
    ['no mail', '/profiles/email/lin', 400, 'bad_identifier', 'has to be a mail address'],
    ['no kind at all', '/profiles/Member%20ID/m1', 400, 'bad_identifier', 'a snake_case kind'],
    ['half an escape', '/profiles/member_id/%E4%BD', 400, 'bad_path', 'not valid percent-encoded'],
    ['no such page', '/profiles/member_id/m1/orders', 404, 'no_route', '/openapi.json lists all'],
    ['no such parameter', '/profiles/member_id/m1?scoop=x', 400, 'bad_query', 'scoop: no parameter here; '],
    ['no parameters', '/tags?limit=3', 400, 'bad_query', 'limit: no parameter here; there are: none'],
    ['no such conversion', '/conversions/what', 404, 'not_found', 'no conversion has this id'],
    ['nor this', '/conversions/a.b', 404, 'not_found', 'no conversion has this id'],
    ['no such tag', '/profiles/member_id/lin-the-member/tags/vip/explain', 404, 'not_found', 'the tag vip'],
  ])('%s', async (_what, target, status, reason, message) => {
    const refused = await caller.askInVain(target);
    expect(refused).toMatchObject({ status, reason });
    expect(refused.message).toContain(message);
  });

  test('and never repeats the value, which may be personal', async () => {
    for (const path of ['phone/+8613900139000', 'phone/139', 'email/a@b.cn', 'email/wang'])
      expect(JSON.stringify(await caller.askInVain(`/profiles/${path}`))).not.toMatch(/139|a@b|wang/);
  });
});

describe('the conversions of a profile', () => {
  test('come newest first, in pages, with path and credits, and each can be asked for by its id', async () => {
    const other = aWorld({ brand: aBrand({ rules: [buyer] }) });
    await other.take(
      aVisit(0, { context: { campaign: { channel: 'wecom' } } }),
      anOrder(1, 'o1', 100),
      anOrder(2, 'o2', 250),
      anOrder(2, 'o3', 300),
      aRefund(3, 'o2', 50),
      anOrder(2, 'o1', 100, { ids: ['member_id:somebody-else'] }),
    );
    await other.attribute();
    const { ask, askInVain } = await aCaller(other);
    const all = await ask('/profiles/member_id/m1/conversions');
    expect(all.conversions.map((it: { reference: string }) => it.reference).slice(2)).toEqual(['o1']);
    expect(all.next).toBeUndefined();
    const [second] = all.conversions.filter((it: { reference: string }) => it.reference === 'o2');
    expect(second).toMatchObject({
      value: { amount: 250, currency: 'CNY' },
      refunded: { amount: 50, currency: 'CNY' },
      net: { amount: 200, currency: 'CNY' },
    });

    const paged: unknown[] = [];
    for (let next: string | undefined = ''; next !== undefined; ) {
      const page: { conversions: unknown[]; next?: string } = await ask(
        `/profiles/member_id/m1/conversions?limit=1${next && `&cursor=${next}`}`,
      );
      expect(page.conversions).toHaveLength(1);
      paged.push(...page.conversions);
      if (paged.length > 20) throw new Error('the pages do not end');
      next = page.next;
    }
    expect(paged).toEqual(all.conversions);

    for (const conversion of all.conversions)
      expect(await ask(`/conversions/${conversion.id}`)).toMatchObject(conversion);
    expect(all.conversions[2].models.linear).toMatchObject([{ channel: 'wecom', ppm: 1_000_000 }]);
    expect(await askInVain('/profiles/member_id/m1/conversions?limit=0')).toMatchObject({
      status: 400,
      message: 'limit: give a whole number from 1 to 100',
    });
  });

  test('are found by the id that was told before two profiles were joined', async () => {
    const other = aWorld();
    await other.take(aVisit(0, { ids: ['member_id:m1'] }));
    await other.take(anOrder(1, 'o1', 100, { ids: ['phone:+8613800138000'] }));
    await other.attribute();
    const { ask } = await aCaller(other);
    const [{ id: told }] = (await ask('/profiles/phone/13800138000/conversions')).conversions;
    await other.take(aVisit(2, { ids: ['member_id:m1', 'phone:+8613800138000'] }));
    await other.attribute();
    const now = await ask(`/conversions/${told}`);
    expect(now.profile).toBe((await other.cluster('member_id:m1')).id);
    expect(now.id).not.toBe(told);
    expect(now.reference).toBe('o1');
  });
});
