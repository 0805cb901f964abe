// Law: who asks about a person, rightly or wrongly, leaves no value of that person in keys, logs, errors or the audit log.
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { beforeAll, describe, expect, test } from 'vitest';
import { conversionStore } from '../../lib/attribution/store.ts';
import { directory } from '../../lib/identity/directory.ts';
import { role } from '../../lib/platform/brand-words.ts';
import { httpHandler } from '../../lib/platform/http.ts';
import { AUDIT } from '../../lib/platform/keys.ts';
import type { Item, Table } from '../../lib/platform/table.ts';
import { profileStore } from '../../lib/profile/store.ts';
import { quarantineApi } from '../../lib/quarantine/api.ts';
import { apiKeyItem, authorize } from '../../lib/query/auth.ts';
import { answer, type QueryDeps } from '../../lib/query/route.ts';
import { memoryQueue } from '../platform/memory.ts';
import { allRoutes } from '../query/a-caller.ts';
import { openCage } from './canaries.ts';
import { birds, seeded } from './canaries-seeds.ts';
import { functionsOf, type Names, sharedOf } from './wiring.ts';
import { World } from './world/world.ts';

const shared = sharedOf('Asia/Shanghai');
const keyOf = (name: string) => `the-${name}-key-of-the-canaries`;
let world: World<Names>;

beforeAll(async () => {
  world = new World<Names>({ functions: functionsOf(shared), now: Date.parse('2025-10-10T00:00:00Z') });
  const { bodies, poison } = await seeded();
  await world.send('events', ...bodies, ...poison);
  await world.run();
  for (const name of role.options)
    await world.table.put(apiKeyItem(keyOf(name), { role: name, name: `${name} of the shop` }));
});

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly reason?: string;
}

/** The functions that answer people, by one table; their replies that refuse are seen, and those that answer are not. */
function aDesk(cage: ReturnType<typeof openCage>, through: (table: Table) => Table = (it) => it) {
  const table = cage.table(through(world.table));
  const now = () => world.now;
  const deps: QueryDeps = {
    ...{ table, now, brand: shared.brand, protector: shared.protector, ownPaths: {} },
    ...{ directory: directory(table, shared.protector), profiles: profileStore(table) },
    conversions: conversionStore(table, now),
    rules: async () => shared.rules,
    events: memoryQueue(),
  };
  const quarantine = { brand: shared.brand, table, queue: memoryQueue(), now, authorize };
  const handler = httpHandler(
    () => deps,
    (request, it) =>
      request.path.startsWith('/quarantine')
        ? quarantineApi(request, quarantine)
        : answer(allRoutes, request, it),
  );
  return async (as: string, { method = 'GET', path: target, body, reason = 'ticket 7' }: Asked) => {
    const [path = '', query = ''] = target.split('?');
    const id = /^\/quarantine\/([^/]+)\/replay$/.exec(path)?.[1];
    const event: Partial<APIGatewayProxyEventV2> & { requestContext: unknown } = {
      ...{ routeKey: `${method} route`, rawPath: path, rawQueryString: query },
      headers: { authorization: `Bearer ${keyOf(as)}`, 'x-reason': encodeURIComponent(reason) },
      ...(id !== undefined && { pathParameters: { id } }),
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      isBase64Encoded: false,
      requestContext: { http: { method, path } } as APIGatewayProxyEventV2['requestContext'],
    };
    // What the handler reads of an event is all there.
    const reply = await handler(event as APIGatewayProxyEventV2, {} as Context);
    const { statusCode = 0, body: said = '' } = reply;
    if (statusCode >= 400) cage.see(`refusal ${statusCode}`, said);
    return { statusCode, said };
  };
}

/** Every question that there is, about this person, with values where they belong and where they do not. */
function questions(): Asked[] {
  const names = Object.entries({
    member_id: birds.member,
    phone: birds.phone,
    email: birds.mail,
    wechat_openid: birds.openid,
  });
  const values = Object.values(birds).map(encodeURIComponent);
  const fill = (path: string, value: string) => path.replace(/\{\w+\}/g, value);
  return [
    ...names.flatMap(([kind, value]) => {
      const who = `/profiles/${kind}/${encodeURIComponent(value)}`;
      return [who, `${who}/events`, `${who}/conversions`, `${who}/identity`, `${who}/tags/stage/explain`].map(
        (path) => ({ path }),
      );
    }),
    ...allRoutes.flatMap(({ method, path }) =>
      values.flatMap((value) => [
        {
          method,
          path: fill(path, value),
          ...(method !== 'GET' && {
            body: { value: birds.phone, tag: birds.name, reason: birds.mail, why: birds.member },
          }),
        },
        { method, path: `${fill(path, value)}?cursor=${value}&limit=${value}&day=${value}&from=${value}` },
        ...(method === 'GET' ? [] : [{ method, path: fill(path, value), body: `{"${birds.phone}` }]),
      ]),
    ),
    ...values.flatMap((value) => [
      { path: `/quarantine?cursor=${value}&limit=${value}` },
      { method: 'POST', path: `/quarantine/${value}/replay` },
      { path: `/${value}` },
      { path: '/profiles/member_id/x', reason: decodeURIComponent(value) },
    ]),
    { path: '/quarantine?body=true' },
  ];
}

const auditRows = (): Item[] => world.table.rows().filter(({ pk }) => pk.startsWith(AUDIT));

describe('asking', () => {
  test('finds the person, and says so in the audit log without a value', async () => {
    const cage = openCage(birds);
    const ask = aDesk(cage);
    const { statusCode, said } = await ask('privacy', {
      path: `/profiles/phone/${encodeURIComponent(birds.phone)}`,
    });
    expect(statusCode).toBe(200);
    expect(said).toContain(birds.phone);
    cage.see('audit', ...auditRows());
    expect(cage.counts().audit).toBeGreaterThan(0);
    expect(cage.leaks()).toEqual([]);
  });

  test('in every way, by every role, leaves nothing of the person behind', async () => {
    const cage = openCage(birds);
    const ask = aDesk(cage);
    const statuses = new Set<number>();
    await cage.hearing(async () => {
      for (const it of questions()) statuses.add((await ask('privacy', it)).statusCode);
      for (const as of ['operator', 'analyst', 'admin', 'nobody'])
        for (const it of questions().filter((_, i) => i % 7 === 0))
          statuses.add((await ask(as, it)).statusCode);
    });
    cage.see('audit', ...auditRows());
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 400, 401, 403, 404]));
    expect(cage.leaks()).toEqual([]);
  });

  test('of a table that fails, and quotes what it was asked, neither', async () => {
    const cage = openCage(birds);
    let calls = 0;
    const ask = aDesk(cage, (table) => ({
      ...table,
      get: async (key) => {
        if (++calls % 3 === 0)
          throw new Error(`ValidationException: ${birds.phone}\n${birds.mail} at ${birds.member}`);
        return table.get(key);
      },
    }));
    const statuses = new Set<number>();
    await cage.hearing(async () => {
      for (const it of questions().slice(0, 60)) statuses.add((await ask('privacy', it)).statusCode);
    });
    expect(statuses).toContain(500);
    expect(cage.counts()).toMatchObject({ log: expect.any(Number), 'refusal 500': 1 });
    expect(cage.leaks()).toEqual([]);
  });
});
