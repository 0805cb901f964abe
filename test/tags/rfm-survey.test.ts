// Scope: recency, frequency and money of a brand's customers, asked over HTTP and looked for in every part.
import { expect, test } from 'vitest';
import type { Table } from '../../lib/platform/table.ts';
import { rfmQuintiles } from '../../lib/tags/rfm-quintiles.ts';
import { aBrand, anOrder, aVisit, day, dice } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aSurveyor } from './a-survey.ts';

const PEOPLE = 40;

/** Customers with orders on ten days; the first with so many that segments are sealed. */
async function aShop(through?: (rows: Table) => Table) {
  const world = aWorld({ brand: aBrand({ rules: [] }), ...(through && { through }) });
  world.setClock(day(20));
  const roll = dice(3);
  const expected: { id: string; recency: number; frequency: number; monetary: number }[] = [];
  for (let i = 0; i < PEOPLE; i++) {
    const ids = [`customer_id:${1_000 + i}`, `phone:+86138001380${10 + i}`];
    const orders = Array.from({ length: i === 0 ? 80 : 1 + roll(4) }, (_, n) => ({
      id: `${i}-${n}`,
      at: roll(10),
      amount: 100 + roll(3) * 100,
    }));
    await world.takeEach(
      aVisit(0, { ids }),
      ...orders.map((it) => anOrder(it.at, it.id, it.amount, { ids })),
    );
    expected.push({
      id: String(1_000 + i),
      recency: 20 - Math.max(...orders.map(({ at }) => at)),
      frequency: orders.length,
      monetary: orders.reduce((sum, { amount }) => sum + amount, 0),
    });
  }
  await world.take(aVisit(1, { ids: ['member_id:looker'] }));
  await world.take(anOrder(2, 'till', 5_000, { ids: ['anonymous_id:till-7'] }));
  return { world, expected, ...(await aSurveyor(world)) };
}

interface Shown {
  readonly profile: string;
  readonly identifiers: readonly { readonly value: string }[];
  readonly r: number;
}

test('every customer’s values, and the scores that their ranks by customer id give', async () => {
  const { expected, post, work, ask } = await aShop();
  const { status, result } = await post('/rfm', { asOf: day(20) });
  await work();
  const { result: found, ...state } = await ask(result, { as: 'admin' });
  expect([status, state.status, state.asOf]).toEqual([202, 'done', day(20)]);
  const scores = rfmQuintiles(expected);
  expect(
    found.customers.map(({ identifiers, profile: _, ...it }: Shown) => ({
      id: identifiers[0]?.value,
      ...it,
    })),
  ).toEqual(expected.map((it) => ({ ...it, ...scores.get(it.id) })));
  expect(found.monetary).toBe(expected.reduce((sum, { monetary }) => sum + monetary, 0));
  expect(found.sizes.f).toEqual([8, 8, 8, 8, 8]);
});

test('ties together: who has the same has the same score', async () => {
  const { expected, post, work, ask } = await aShop();
  const { result } = await post('/rfm', { asOf: day(20) });
  await work();
  const { customers } = (await ask(`${result}?ties=together`, { as: 'admin' })).result;
  const scores = rfmQuintiles(expected, 'together');
  for (const { identifiers, r, f, m } of customers)
    expect({ r, f, m }).toEqual(scores.get(identifiers[0].value));
});

test.each([1, 7, 40, 1_000])('pages of %i are all customers, each once, in one order', async (limit) => {
  const { post, work, ask } = await aShop();
  const { result } = await post('/rfm', '');
  await work();
  const whole = (await ask(result)).result.customers;
  const found: Shown[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: { customers: Shown[]; next?: string } = (
      await ask(`${result}?limit=${limit}${cursor && `&cursor=${cursor}`}`)
    ).result;
    found.push(...page.customers);
    if (found.length > PEOPLE) throw new Error('the pages do not end');
    cursor = page.next;
  }
  expect(found).toEqual(whole);
  expect(found).toHaveLength(PEOPLE);
});

test('identifiers are masked by role, and the scores are the same for everybody', async () => {
  const { post, work, ask } = await aShop();
  const { result } = await post('/rfm', '');
  await work();
  const [operator, admin] = await Promise.all(
    (['operator', 'admin'] as const).map(async (as) => (await ask(result, { as })).result.customers),
  );
  expect(operator[0].identifiers.map((it: { value: string }) => it.value)).toEqual(['1***', '+8613****8010']);
  expect(admin[0].identifiers[0].value).toBe('1000');
  expect(operator.map((it: Shown) => it.r)).toEqual(admin.map((it: Shown) => it.r));
});

test('one part or seven, in pages of few rows, delivered once or again: the same customers', async () => {
  let size = 9;
  const { post, work, ask, again } = await aShop((rows) => ({
    ...rows,
    async scan(part, of, after) {
      const { items } = await rows.scan(part, of, after);
      const page = items.slice(0, size);
      const last = page.at(-1);
      return { items: page, ...(last && page.length < items.length && { next: `${last.pk}\n${last.sk}` }) };
    },
  }));
  const { result, id } = await post('/rfm', { asOf: day(15) });
  await work(2);
  const { result: found } = await ask(result);
  for (const of of [1, 7]) {
    size = of + 3;
    expect((await ask(`/rfm/${await again(id, of)}`)).result).toEqual(found);
  }
});

test('an instant that is none is refused; a forecast is no RFM', async () => {
  const { post, askInVain } = await aShop();
  for (const body of [{ asOf: 'yesterday' }, { asof: day(1) }, '['])
    expect(await post('/rfm', body)).toMatchObject({ status: 400, error: { reason: 'bad_request' } });
  const { id } = await post('/rules/all/forecast', 'true');
  expect(await askInVain(`/rfm/${id}`)).toMatchObject({ status: 404 });
  expect(await askInVain('/rfm/none')).toMatchObject({ status: 404, reason: 'not_found' });
});

test('a page costs a page: once the scores are worked out, what was found is not read again', async () => {
  const reads: string[] = [];
  const { world, post, work, ask } = await aShop((rows) => rows);
  const { result, id } = await post('/rfm', { asOf: day(20) });
  await work();
  const first = await ask(`${result}?limit=10`);
  const rows = world.rows;
  const { query, get } = rows;
  Object.assign(rows, {
    query: (pk: string, range?: object) => {
      reads.push(pk);
      return query(pk, range);
    },
    get: (key: { pk: string; sk: string }) => {
      if (key.pk.startsWith('N#')) reads.push(`${key.pk} ${key.sk}`);
      return get(key);
    },
  });
  const second = await ask(`${result}?limit=10&cursor=${first.result.next}`);
  expect(second.result.customers).toHaveLength(10);
  expect(second.result.sizes).toEqual(first.result.sizes);
  const pages = `N#survey#${id}#pages apart`;
  expect(reads).toEqual([`N#survey#${id} @`, `${pages}-all`, `${pages}-0`]);
});
