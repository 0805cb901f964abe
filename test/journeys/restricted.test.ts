// Scope: a customer asks what is kept and why, has it restricted and put right, and lifts the restriction again.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { HOUR } from '../../lib/platform/clock.ts';
import { type Visitor, visitorOf } from './visitor.ts';

let run: Run;
let visitor: Visitor;
beforeAll(async () => {
  run = await startRun({ brand: 'demo', clockAt: Date.parse('2026-11-11T10:00:00+08:00') });
  visitor = visitorOf(run);
});
afterAll(() => run?.stop());

const asked = z.object({ id: z.string() });
const request = z.looseObject({ right: z.string(), status: z.string() });
const allowed = z.object({ allowed: z.boolean() }).loose();

async function ask(right: string, more: object = {}): Promise<string> {
  const body = { right, kind: 'member_id', value: 'M-78', reason: 'ticket 13', ...more };
  const { status, text } = await visitor.post('/privacy/requests', body, run.keys.privacy);
  expect(status, text).toBe(202);
  return asked.parse(JSON.parse(text)).id;
}
async function carriedOut(right: string, more: object = {}): Promise<void> {
  const id = await ask(right, more);
  await visitor.settled();
  const done = await visitor.ask(`/privacy/requests/${id}`, request, run.keys.privacy);
  expect(done).toMatchObject({ right, status: 'done' });
}
const profile = () => visitor.profile('member_id', 'M-78', run.keys.privacy);
const maySend = async () =>
  (await visitor.ask('/profiles/member_id/M-78/consent?purpose=marketing.wecom', allowed)).allowed;

test('what is kept is told and why; restricted it is used for nothing; corrected and lifted it is used again', async () => {
  const at = visitor.ago(2 * HOUR);
  const data = { order_id: 'B-1', amount: 30_000, currency: 'CNY', member_id: 'M-78', phone: '13800138078' };
  await visitor.tell({ type: 'order.paid', timestamp: at, data });
  await visitor.settled();
  const before = await profile();
  expect(Object.keys(before.tags)).toContain('stage');
  const { text: page } = await visitor.get(
    `/privacy/requests/${await ask('access')}/access/page`,
    run.keys.privacy,
  );
  for (const said of ['M-78', '+8613800138078', 'paid_amount', '保存多久', 'How long'])
    expect(page).toContain(said);

  await carriedOut('restrict');
  expect(await profile()).toMatchObject({ tags: {}, stage: null, restrictedAt: expect.anything() });
  expect(await maySend()).toBe(false);
  await carriedOut('rectify', { correct: { traits: { city: '杭州' }, proof: 'identity card' } });
  expect((await profile()).traits).toEqual({});

  await visitor.clock({ advance: '1m' });
  await carriedOut('lift');
  const after = await profile();
  expect(after).toMatchObject({ traits: { city: '杭州' }, stage: before.stage });
  expect(Object.keys(after.tags)).toEqual(Object.keys(before.tags));
  expect(await maySend()).toBe(true);
});
