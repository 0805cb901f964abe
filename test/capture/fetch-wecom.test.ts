// Scope: what WeCom only announces, asked of a WeCom that listens on a port and checks tokens; the asking is stopped,
// repeated, refused and lost at each point between the push and the profile.
import { describe, expect, test } from 'vitest';
import { quarantineApi } from '../../lib/quarantine/api.ts';
import { putFaults, quarantineStore } from '../../lib/quarantine/store.ts';
import { teahouseCorp } from '../channels/vendors/wecom.ts';
import type { WecomApi } from '../channels/vendors/wecom-api.ts';
import { aCorp, customer, edited, waiting } from './a-corp.ts';

const said = (msgid: string, origin = 3, text = '你好') => ({
  msgid,
  open_kfid: 'wkTea',
  external_userid: customer,
  send_time: 1_759_999_000,
  origin,
  msgtype: 'text',
  text: { content: text },
  ...(origin === 5 && { servicer_userid: 'linxiao' }),
});
const entered = (msgid: string) => ({
  msgid,
  send_time: 1_759_998_999,
  origin: 4,
  msgtype: 'event',
  event: {
    event_type: 'enter_session',
    open_kfid: 'wkTea',
    external_userid: customer,
    scene: 'menu',
    welcome_code: 'WELCOME-SECRET',
  },
});
const give = (api: WecomApi, ...messages: object[]) =>
  api.messages.set('wkTea', [...(api.messages.get('wkTea') ?? []), ...messages]);
const syncs = ({ calls }: WecomApi) => calls.filter((path) => path.endsWith('sync_msg')).length;

describe('messages of customer service', () => {
  test('a push is answered before anybody is asked; then each message is in the profile once', async () => {
    const { api, say, work, fetched, hints, profiles } = await aCorp();
    give(api, entered('m0'), said('m1'), said('m2', 5), said('m3', 3));
    expect((await say(waiting())).statusCode).toBe(200);
    expect(api.calls).toEqual([]);
    expect(hints).toHaveLength(1);
    expect(await work()).toBe(0);
    expect(fetched().map(({ type }) => type)).toEqual([
      'conversation_started',
      'message_received',
      'message_received',
    ]);
    expect(fetched()[1]).toMatchObject({
      occurredAt: '2025-10-09T08:36:40.000Z',
      identifiers: [{ kind: 'wecom_external_userid', scope: teahouseCorp, value: customer }],
      properties: { message_id: 'm1', message_type: 'text', open_kfid: 'wkTea' },
      context: { verified: 'signed' },
    });
    expect(JSON.stringify(fetched())).not.toMatch(/你好|WELCOME-SECRET/);
    const world = await profiles();
    expect(await world.events(`wecom_external_userid@${teahouseCorp}:${customer}`)).toHaveLength(3);
  });

  test('what is said is kept where the brand wants it', async () => {
    const { api, say, settle, fetched } = await aCorp({ more: { keepContent: true } });
    give(api, said('m1'));
    await say(waiting());
    await settle();
    expect(fetched()[0]?.properties.content).toBe('你好');
  });

  test('has_more is followed to its end, and the cursor goes on from there', async () => {
    const { api, say, work, fetched, restart } = await aCorp();
    api.atOnce = 2;
    give(api, ...['m1', 'm2', 'm3', 'm4', 'm5'].map((id) => said(id)));
    await say(waiting());
    await work();
    expect(fetched()).toHaveLength(5);
    expect(syncs(api)).toBe(3);
    restart();
    give(api, said('m6'));
    await say(waiting());
    await work();
    expect(fetched().map(({ properties }) => properties.message_id)).toEqual([
      'm1',
      'm2',
      'm3',
      'm4',
      'm5',
      'm6',
    ]);
  });

  test('while the queue does not take them the cursor stands, and they come again', async () => {
    const { api, say, work, fetched, state, rows } = await aCorp();
    give(api, said('m1'));
    await say(waiting());
    state.queueFails = true;
    expect(await work()).toBe(1);
    expect(rows.rows()).toEqual([]);
    state.queueFails = false;
    expect(await work()).toBe(0);
    expect(fetched()).toHaveLength(1);
  });

  test('a cursor that is not written after they were queued costs a repetition and no event', async () => {
    const { api, say, work, fetched, state, profiles } = await aCorp();
    give(api, said('m1'));
    await say(waiting());
    state.putFails = true;
    expect(await work()).toBe(1);
    state.putFails = false;
    expect(await work()).toBe(0);
    expect(fetched()).toHaveLength(2);
    expect(new Set(fetched().map(({ id }) => id)).size).toBe(1);
    const world = await profiles();
    expect(await world.events(`wecom_external_userid@${teahouseCorp}:${customer}`)).toHaveLength(1);
  });

  test('an answer that is lost, and a vendor that is away, lose nothing; meanwhile it is left alone', async () => {
    const { api, say, work, fetched, state } = await aCorp();
    give(api, said('m1'));
    await say(waiting());
    api.fails = ({ path }) => (path.endsWith('sync_msg') ? 'lost' : undefined);
    expect(await work()).toBe(1);
    const before = api.calls.length;
    api.fails = () => 503;
    expect(await work()).toBe(1);
    expect(api.calls).toHaveLength(before);
    state.now += 61_000;
    expect(await work()).toBe(1);
    state.now += 61_000;
    api.fails = undefined;
    expect(await work()).toBe(0);
    expect(fetched()).toHaveLength(1);
  });

  test.each([-1, 45_009])(
    'code %i is patience: asked again after a while, nothing in quarantine',
    async (code) => {
      const { api, say, work, fetched, refusedHints, state } = await aCorp();
      give(api, said('m1'));
      await say(waiting());
      await say(waiting('wkOther'));
      api.refuses = ({ path }) => (path.endsWith('sync_msg') ? code : undefined);
      expect(await work()).toBe(2);
      expect(syncs(api)).toBe(1); // the second question of the account is not even put
      api.refuses = undefined;
      state.now += 61_000;
      expect(await work()).toBe(0);
      expect(fetched()).toHaveLength(1);
      expect(refusedHints()).toEqual([]);
    },
  );

  test('a burst of pushes is one question; pushed again, nothing comes twice', async () => {
    const { api, say, work, fetched } = await aCorp();
    give(api, said('m1'));
    for (let i = 0; i < 5; i++) await say(waiting());
    await work();
    expect(syncs(api)).toBe(1);
    await say(waiting());
    await work();
    expect(fetched()).toHaveLength(1);
  });

  test('the permission of a push ends after ten minutes: then it is asked without', async () => {
    const { api, say, work, fetched } = await aCorp();
    give(api, said('m1'));
    await say(waiting('wkTea', 'expired'));
    expect(await work()).toBe(0);
    expect(fetched()).toHaveLength(1);
    expect(syncs(api)).toBe(2);
  });

  test('the clock asks all accounts, whatever was pushed', async () => {
    const { api, tick, settle, fetched } = await aCorp();
    give(api, said('m1'));
    api.messages.set('wkB', [said('b1')]);
    expect(await tick()).toBe(1);
    await settle();
    expect(fetched().map(({ properties }) => properties.message_id)).toEqual(['m1', 'b1']);
  });

  test('what means nothing here is counted, what cannot be read is a fault beside the others', async () => {
    const { api, say, work, fetched, refusedHints, facts } = await aCorp();
    const recalled = {
      ...entered('m2'),
      event: { event_type: 'user_recall_msg', external_userid: customer },
    };
    give(api, { msgtype: 'text' }, recalled, said('m3'));
    await say(waiting());
    await work();
    expect(fetched()).toHaveLength(1);
    expect(refusedHints()).toMatchObject([{ reason: 'bad_shape' }]);
    expect(facts).toMatchObject([{ what: 'ignored', name: 'kf/sync_msg user_recall_msg' }]);
  });

  test('two who ask at once: the cursor moves once, nothing is lost', async () => {
    const { api, say, work, asks, fetched, hints } = await aCorp();
    give(api, said('m1'));
    await say(waiting());
    hints.push(...hints);
    const [first] = hints.splice(1);
    const one = work();
    asks.push(first ?? '');
    await Promise.all([one, work()]);
    await work();
    expect(new Set(fetched().map(({ id }) => id)).size).toBe(1);
  });
});

describe('the access token', () => {
  test('is asked for once, and again when it ends', async () => {
    const { api, say, work, state, asks } = await aCorp();
    const made = () => api.calls.filter((path) => path.endsWith('gettoken')).length;
    for (let i = 0; i < 3; i++) {
      await say(waiting());
      await work();
    }
    expect(made()).toBe(1);
    state.now += 7_200_000;
    const source = { channel: 'wecom', account: 'main' };
    asks.push(JSON.stringify({ source, hint: { what: 'kf/sync_msg', of: { open_kfid: 'wkTea' } } }));
    expect(await work()).toBe(0);
    expect(made()).toBe(2);
  });

  test('that WeCom has forgotten is renewed once', async () => {
    const { api, say, work, fetched } = await aCorp();
    await say(waiting());
    await work();
    api.token = '';
    give(api, said('m1'));
    await say(waiting());
    expect(await work()).toBe(0);
    expect(fetched()).toHaveLength(1);
    expect(api.made).toBe(2);
  });

  test.each([{ corpSecret: 'wrong' }, { corpSecret: undefined }])(
    'is not had with %o: it is told, waits, and holds no secret',
    async (secret) => {
      const { say, work, facts, refusedHints } = await aCorp({ secret });
      await say(waiting());
      expect(await work()).toBe(1);
      expect(facts).toMatchObject([{ what: 'misconfigured', channel: 'wecom' }]);
      expect(JSON.stringify(facts)).not.toContain('wrong');
      expect(refusedHints()).toEqual([]);
    },
  );
});

test('what WeCom refuses waits in quarantine with what to do, and is asked again when it is replayed', async () => {
  const { api, say, work, refusedHints, brand, rows, asks, state, fetched } = await aCorp();
  give(api, said('m1'));
  api.refuses = ({ path }) => (path.endsWith('sync_msg') ? 48_002 : undefined);
  await say(waiting('wkTea', 'PASS-SECRET'));
  expect(await work()).toBe(0);
  const [fault] = refusedHints();
  expect(fault).toMatchObject({ reason: 'vendor_refused', source: { channel: 'wecom', account: 'main' } });
  expect(fault?.message).toMatch(/48002.*可调用接口的应用.*replay/);
  expect(JSON.stringify(fault)).not.toContain('PASS-SECRET');

  await putFaults(rows, refusedHints(), brand);
  const now = () => state.now;
  const [kept] = (await quarantineStore(rows, brand).list(state.now, 10)).items;
  api.refuses = undefined;
  const deps = {
    brand,
    table: rows,
    queue: { send: async () => expect.fail('there is no event yet') },
    hints: { send: async (sent: readonly string[]) => void asks.push(...sent) },
    now,
    authorize: async () => ({ role: 'admin' as const }),
  };
  const request = { method: 'POST', path: '', params: { id: kept?.id ?? '' }, query: {}, rawQuery: '' };
  const reply = await quarantineApi({ ...request, headers: {}, body: Buffer.alloc(0) }, deps);
  expect(reply.status).toBe(200);
  expect(await work()).toBe(0);
  expect(fetched().map(({ type }) => type)).toEqual(['message_received']);
});

test('an account that does not ask sends no hint', async () => {
  const { say, hints, events, api } = await aCorp({ fetch: [] });
  await say(waiting());
  await say(edited());
  expect(hints).toEqual([]);
  expect(api.calls).toEqual([]);
  expect(events().map(({ type }) => type)).toEqual(['contact_updated']);
});
