// Scope: where a tag and a report come from, down to properties and accounts; and over HTTP.
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { loadBrand } from '../../infra/brands/load.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import { rfmSettings } from '../../lib/platform/brand.ts';
import { httpHandler } from '../../lib/platform/http.ts';
import { lineageOfReport, lineageOfTag, propertiesIn, tagLineage } from '../../lib/privacy/lineage.ts';
import { lineageRoutes } from '../../lib/privacy/lineage-routes.ts';
import { apiKeyItem } from '../../lib/query/auth.ts';
import { answer, type QueryDeps } from '../../lib/query/route.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { aWorld } from '../profile/a-world.ts';

const demo = loadBrand('demo');
const of = (when: string, over: Partial<typeof demo> = {}) => {
  const brand = { ...demo, ...over };
  const rules = [
    { tag: 'it', when, version: 3 },
    { tag: 'rich', when: 'trait("assets") == "many" || hasTag("base")', version: 1 },
    { tag: 'base', when: 'events("coupon_issued").any()', version: 1 },
  ];
  const book = compileRules(rules, { timezone: 'UTC', rfm: rfmSettings.parse({}), scores: brand.scores });
  const found = lineageOfTag('it', book, brand);
  if (!found) throw new Error('the tag has no lineage');
  return found;
};
const readBy = (it: ReturnType<typeof of>) =>
  it.sources.map(({ type, properties }) => [type, ...properties.map(({ name }) => name)].join(' '));

test('an aggregate reads its property, and its condition what it compares', () => {
  const it = of(
    'events("order_paid").where(e, e.store_id == "a.b(c)" && e.products.exists(p, p.category == "x")).within("30d").sum("paid_amount") > 5',
  );
  expect(readBy(it)).toEqual(['order_paid category paid_amount products store_id']);
  expect(it).toMatchObject({ tag: 'it', version: 3, class: 'internal', tags: [], traits: [] });
});

test('names in a condition are those after a dot, or in brackets, and nothing within quotes', () => {
  expect(propertiesIn('e.a == ".b" && e["c"] != 1 && e.d.size() > 2 && e.channel == "x"')).toEqual([
    'a',
    'd',
    'c',
  ]);
});

test('a question about consent rests on what people say of it, and what vendors tell', () => {
  expect(readBy(of('consent("sharing")'))).toEqual([
    'consent_granted purpose',
    'consent_withdrawn purpose',
    'consent_revoked scope',
  ]);
});

test('a sequence reads every step, and what must be the same in all', () => {
  const it = of(
    'sequence(events("product_viewed"), events("order_paid").where(e, e.paid_amount > 5)).within("7d").same("product_id").any()',
  );
  expect(readBy(it).sort()).toEqual(['order_paid paid_amount product_id', 'product_viewed product_id']);
});

test('a tag rests on what the tags rest on that it reads, and is as sensitive as they are', () => {
  const it = of('hasTag("rich")');
  expect(it.tags).toEqual(['rich', 'base']);
  expect(it.class).toBe('sensitive');
  expect(it.traits).toEqual([{ name: 'assets', class: 'sensitive:financial', purpose: 'analyse' }]);
  expect(readBy(it)).toEqual(['coupon_issued']);
});

test('RFM and scores read what the brand measures them by', () => {
  const scores = {
    price: { halfLifeDays: 30, weights: { page_viewed: 1 }, phases: { sale: { menu_clicked: 2 } } },
  };
  expect(readBy(of('rfm().m >= 4'))).toEqual(['order_paid paid_amount']);
  expect(readBy(of('score("price") >= 2.5', { scores })).sort()).toEqual(['menu_clicked', 'page_viewed']);
});

test('a type comes from the accounts that map it and from those that take every type', () => {
  const [source] = of(
    'events("channel_followed").where(e, e.scene == "a" && e.shoe_size == 1).any()',
  ).sources;
  expect(source?.from).toEqual([
    { channel: 'wechat-oa', accounts: ['main'], how: 'mapped', lacks: ['shoe_size'] },
    { channel: 'generic', accounts: ['pos', 'crm'], how: 'sent', lacks: [] },
    { channel: 'segment', accounts: ['web', 'server'], how: 'sent', lacks: [] },
  ]);
  expect(source?.properties).toEqual([
    { name: 'scene', class: 'internal', purpose: 'attribute' },
    { name: 'shoe_size', class: null, purpose: null },
  ]);
  const channels = { 'wechat-oa': demo.channels['wechat-oa'] ?? {} };
  expect(of('events("order_paid").any()', { channels }).sources[0]?.from).toEqual([]);
});

test('the attribution report rests on conversions, refunds and touches', () => {
  const edu = loadBrand('demo-edu');
  const types = new Set(lineageOfReport('attribution', edu).sources.map(({ type }) => type));
  for (const type of ['course_enrolled', 'enrolment_refunded', 'trial_booked', 'channel_followed', '*'])
    expect(types, type).toContain(type);
  expect(lineageOfReport('rfm', edu).sources).toMatchObject([{ type: 'course_enrolled' }]);
});

describe('over HTTP', () => {
  const key = 'the-key-of-an-analyst';
  const ask = async (path: string, authorization = `Bearer ${key}`) => {
    const world = aWorld();
    await world.rows.put(apiKeyItem(key, { role: 'analyst', name: 'Li' }));
    const deps: QueryDeps = {
      ...world.worker,
      ...{ table: world.rows, brand: world.brand, ownPaths: {} },
      conversions: conversionStore(world.rows, world.clock),
    };
    const handler = httpHandler(
      () => deps,
      (request, it) => answer(lineageRoutes, request, it),
    );
    const event: Partial<APIGatewayProxyEventV2> & { requestContext: unknown } = {
      ...{ rawPath: path, rawQueryString: '', headers: { authorization } },
      requestContext: { http: { method: 'GET', path } } as APIGatewayProxyEventV2['requestContext'],
    };
    const { statusCode, body = '' } = await handler(event as APIGatewayProxyEventV2, {} as Context);
    return { statusCode, body: JSON.parse(body) };
  };

  test('whoever may see groups is told of a tag, and of a report', async () => {
    const tag = await ask('/lineage/tags/buyer');
    expect(tag.statusCode).toBe(200);
    expect(tagLineage.parse(tag.body)).toEqual(tag.body);
    expect(tag.body.sources).toMatchObject([{ type: 'order_paid' }]);
    expect((await ask('/lineage/reports/rfm')).body).toMatchObject({ report: 'rfm', class: 'internal' });
  });

  test('and nobody else, and of nothing that is not there', async () => {
    expect((await ask('/lineage/tags/buyer', 'Bearer nobody-knows-this-key')).statusCode).toBe(401);
    expect((await ask('/lineage/tags/nothing')).statusCode).toBe(404);
    expect((await ask('/lineage/reports/nothing')).statusCode).toBe(404);
  });
});
