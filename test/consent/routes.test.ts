// Scope: what people allow, asked before a send and recorded over HTTP, until it holds.
import { describe, expect, test } from 'vitest';
import { AUDIT } from '../../lib/platform/keys.ts';
import { memoryQueue } from '../platform/memory.ts';
import { aBrand, aVisit, day } from '../profile/a-profile.ts';
import { aWorld } from '../profile/a-world.ts';
import { aCaller } from '../query/a-caller.ts';
import { withdrawn } from './a-consent.ts';

const PATH = '/profiles/member_id/m1/consent';
const told = { purposes: ['marketing.sms'], where: 'till 3', at: day(50) };

async function aShop(consent = {}) {
  const world = aWorld({ brand: aBrand({ consent }) });
  await world.take(aVisit(0));
  const events = memoryQueue();
  const caller = await aCaller(world, { events });
  let delivered = 0;
  /** Delivers what was recorded since. */
  const settle = async () => {
    for (const body of events.bodies.slice(delivered)) expect(await world.deliver({ body })).toEqual([]);
    delivered = events.bodies.length;
  };
  const put = (body: object, as: 'operator' | 'admin' | 'analyst' = 'admin', path = PATH) =>
    caller.send(path, { method: 'PUT', body, as });
  const may = async (purpose: string, path = PATH) =>
    (await caller.ask(`${path}?purpose=${purpose}`)).allowed;
  return { world, events, settle, put, may, ...caller };
}

describe('whether something may be sent', () => {
  test('is as the brand presumes until somebody says otherwise', async () => {
    const { may } = await aShop({ marketing: 'asked' });
    expect(await may('analytics')).toBe(true);
    expect(await may('marketing.sms')).toBe(false);
  });

  test('is no from the moment that a withdrawal is recorded', async () => {
    const { put, settle, may } = await aShop();
    expect(await may('marketing.sms')).toBe(true);
    expect((await put({ ...told, state: 'withdrawn' }, 'operator')).status).toBe(202);
    await settle();
    expect(await may('marketing.sms')).toBe(false);
    expect(await may('marketing.wecom')).toBe(true);
  });

  test('is no for a later identifier of who said no, too', async () => {
    const { world, may } = await aShop();
    await world.take(withdrawn(1, 'marketing', { ids: ['device_id:d1'] }));
    await world.take(aVisit(2, { ids: ['member_id:m1', 'device_id:d1'] }));
    expect(await may('marketing.sms')).toBe(false);
  });

  test('is asked of a purpose that there is, about somebody who is known', async () => {
    const { askInVain } = await aShop();
    expect(await askInVain(`${PATH}?purpose=telepathy`)).toMatchObject({ status: 400 });
    expect(await askInVain('/profiles/member_id/nobody/consent')).toMatchObject({ status: 404 });
    expect(await askInVain(PATH, { as: 'analyst' })).toMatchObject({ status: 403 });
  });
});

test('an audience holds only who allows what it is for', async () => {
  const { world, ask } = await aShop();
  await world.take(aVisit(98), aVisit(98.5, { ids: ['member_id:m2'] }));
  await world.take(withdrawn(99, 'marketing', { ids: ['member_id:m2'] }));
  const membersFor = async (query: string) => (await ask(`/tags/active/profiles${query}`)).profiles.length;
  expect(await membersFor('')).toBe(2);
  expect(await membersFor('?purpose=marketing.wecom')).toBe(1);
  expect(await membersFor('?purpose=sharing')).toBe(2);
});

describe('what was said', () => {
  test('is shown with its proof, and the log says who looked and who recorded it', async () => {
    const { world, put, settle, ask } = await aShop();
    await put({ ...told, state: 'granted', text: 'sms 2026-05' });
    await settle();
    const { purposes } = await ask(PATH);
    expect(purposes.sharing).toEqual({ allowed: true, because: 'presumed' });
    expect(purposes['marketing.sms']).toMatchObject({
      ...{ allowed: true, because: 'said', since: day(50), at: day(50) },
      ...{ channel: 'siyu', text: 'sms 2026-05' },
    });
    const log = JSON.stringify(world.rows.rows().filter(({ pk }) => pk.startsWith(AUDIT)));
    expect(log).toContain('consent_said');
    expect(log).toContain(`GET ${PATH.replace('member_id', '{kind}').replace('m1', '{value}')}`);
  });

  test('twice is the same event', async () => {
    const { put, events } = await aShop();
    await put({ ...told, state: 'withdrawn' });
    await put({ ...told, state: 'withdrawn' });
    const [a, b] = events.bodies.map((body) => JSON.parse(body).events[0].id);
    expect(a).toBe(b);
  });

  test('cannot be granted without a text, by an operator, or tomorrow', async () => {
    const { put, events } = await aShop();
    const grant = { ...told, state: 'granted', text: 'v1' };
    expect((await put({ ...told, state: 'granted' })).body.error.reason).toBe('no_proof');
    expect((await put(grant, 'operator')).status).toBe(403);
    expect((await put({ ...grant, at: day(101) })).body.error.reason).toBe('in_future');
    expect((await put({ ...grant, purposes: ['telepathy'] })).status).toBe(400);
    expect(events.bodies).toEqual([]);
  });

  test('for a person is granted as everybody whom they had withdrawn as', async () => {
    const { world, put, settle, may } = await aShop();
    await world.take(withdrawn(1, 'all', { ids: ['device_id:d1'] }));
    await world.take(aVisit(2, { ids: ['member_id:m1', 'device_id:d1'] }));
    await put({ ...told, state: 'granted', text: 'v1' });
    await settle();
    expect(await may('marketing.sms')).toBe(true);
    expect(await may('marketing.wecom')).toBe(false);
    expect(await may('sharing')).toBe(false);
  });
});
