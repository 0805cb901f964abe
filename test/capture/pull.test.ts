// Scope: the pull against a TMC that listens on a port and checks its signatures; it is stopped, repeated and lost at
// each point between asking and confirming.
import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { CaptureFact } from '../../lib/capture/capture.ts';
import { pull, pulledAccounts } from '../../lib/capture/pull.ts';
import { topSign } from '../../lib/channels/taobao-top.ts';
import { eventsMessage } from '../../lib/events/event.ts';
import { aBrand, NOW } from '../channels/captured.ts';

const appSecret = 'helloworld';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const created = (id: string, topic = 'taobao_trade_TradeCreate') =>
  `{"id":${id},"topic":"${topic}","pub_time":"2025-10-09 16:53:20","content":"{\\"buyer_open_uid\\":\\"b1\\",\\"tid\\":\\"${id}\\"}"}`;

interface Tmc {
  /** What has not been confirmed, by id. */
  readonly held: Map<string, string>;
  readonly calls: string[];
  /** How many messages one answer holds. */
  atOnce: number;
  /** What goes wrong with a call: refused, or done and its answer lost. */
  fails?: (method: string) => 'refused' | 'lost' | undefined;
}

/** TOP's two methods, as TOP documents them. */
async function aTmc(messages: Readonly<Record<string, string>>): Promise<Tmc & { url: string }> {
  const tmc: Tmc = { held: new Map(Object.entries(messages)), calls: [], atOnce: 200 };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { sign, ...fields } = Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
    const method = fields.method ?? '';
    const fault = tmc.fails?.(method);
    tmc.calls.push(method.replace('taobao.tmc.messages.', ''));
    const reply = (body: string) => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    if (sign !== topSign(appSecret, fields) || fields.app_key !== '21000001')
      return reply('{"error_response":{"code":25,"msg":"Invalid signature","sub_code":"isv.invalid-sign"}}');
    if (fault === 'refused') return reply('{"error_response":{"code":7,"sub_code":"accesscontrol.limited"}}');
    const answer = method.endsWith('consume')
      ? `{"tmc_messages_consume_response":{"messages":{"tmc_message":[${[...tmc.held.values()].slice(0, tmc.atOnce).join(',')}]}}}`
      : confirmed(tmc, fields.s_message_ids ?? '');
    if (fault === 'lost') return response.destroy();
    return reply(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((done) => server.close(done)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return Object.assign(tmc, { url: `http://127.0.0.1:${port}/router/rest` });
}

function confirmed({ held }: Tmc, ids: string): string {
  for (const id of ids.split(',')) held.delete(id);
  return '{"tmc_messages_confirm_response":{"is_success":true}}';
}

function aPull(url: string, over: { secret?: unknown; accounts?: object } = {}) {
  const bodies: string[] = [];
  const facts: CaptureFact[] = [];
  const world = { queueFails: false, now: NOW };
  const brand = aBrand({
    channels: { 'taobao-tmc': { main: { appKey: '21000001', url, secret: 'taobao' }, ...over.accounts } },
  });
  const deps = {
    brand,
    secrets: { get: async () => over.secret ?? { appSecret } },
    queue: {
      send: async (sent: readonly string[]) => {
        if (world.queueFails) throw new Error('SQS is down');
        bodies.push(...sent);
      },
    },
    now: () => world.now,
    fetch,
    tell: (fact: CaptureFact) => void facts.push(fact),
  };
  const messages = () => bodies.map((body) => eventsMessage.parse(JSON.parse(body)));
  return {
    world,
    facts,
    pull: () => pull(deps),
    ids: () => messages().flatMap(({ events }) => events.map(({ id }) => id)),
    orders: () => messages().flatMap(({ events }) => events.map(({ properties }) => properties.order_id)),
    faults: () => messages().flatMap(({ faults }) => faults),
  };
}

const three = { '2160600009012345701': '', '2160600009012345702': '', '2160600009012345703': '' };
const messages = Object.fromEntries(Object.keys(three).map((id) => [id, created(id)]));

test('what is held is queued, then confirmed, until there is no more; each id keeps its digits', async () => {
  const tmc = await aTmc(messages);
  tmc.atOnce = 2;
  const it = aPull(tmc.url);
  expect(await it.pull()).toBe(3);
  expect(it.orders()).toEqual(Object.keys(three));
  expect(tmc.calls).toEqual(['consume', 'confirm', 'consume', 'confirm', 'consume']);
  expect(tmc.held.size).toBe(0);
  expect(await it.pull()).toBe(0);
});

test('while the queue does not take them nothing is confirmed, and they come again', async () => {
  const tmc = await aTmc(messages);
  const it = aPull(tmc.url);
  it.world.queueFails = true;
  await expect(it.pull()).rejects.toThrow('1 accounts could not be asked');
  expect(tmc.calls).toEqual(['consume']);
  expect(tmc.held.size).toBe(3);
  it.world.queueFails = false;
  expect(await it.pull()).toBe(3);
  expect(tmc.held.size).toBe(0);
});

test.each(['refused', 'lost'] as const)(
  'a confirmation that is %s costs a repetition and no event',
  async (fault) => {
    const tmc = await aTmc(messages);
    const it = aPull(tmc.url);
    tmc.fails = (method) => (method.endsWith('confirm') ? fault : undefined);
    await expect(it.pull()).rejects.toThrow();
    tmc.fails = undefined;
    await it.pull();
    expect(tmc.held.size).toBe(0);
    expect(new Set(it.ids()).size).toBe(3); // what came twice has the same ids, and is stored once
    expect(it.ids()).toHaveLength(fault === 'refused' ? 6 : 3);
  },
);

test.each(['refused', 'lost'] as const)('a question that is %s loses nothing', async (fault) => {
  const tmc = await aTmc(messages);
  const it = aPull(tmc.url);
  tmc.fails = () => fault;
  await expect(it.pull()).rejects.toThrow();
  expect(it.ids()).toEqual([]);
  tmc.fails = undefined;
  expect(await it.pull()).toBe(3);
});

test('a message that cannot be read goes to quarantine beside the others, and is confirmed', async () => {
  const tmc = await aTmc({ ...messages, '9': '{"id":9,"topic":"taobao_trade_TradeCreate","content":"["}' });
  const it = aPull(tmc.url);
  expect(await it.pull()).toBe(3);
  expect(it.faults()).toMatchObject([
    { reason: 'undecodable', source: { channel: 'taobao-tmc', account: 'main' } },
  ]);
  expect(tmc.held.size).toBe(0);
});

test('a topic that means nothing here is confirmed and counted', async () => {
  const tmc = await aTmc({ '9': created('9', 'taobao_item_ItemUpdate') });
  const it = aPull(tmc.url);
  expect(await it.pull()).toBe(0);
  expect(it.facts).toMatchObject([{ what: 'ignored', name: 'taobao_item_ItemUpdate' }]);
  expect(tmc.held.size).toBe(0);
});

test('an account that cannot be asked does not keep the others from it', async () => {
  const tmc = await aTmc(messages);
  const accounts = { other: { appKey: '21000009', url: tmc.url, secret: 'taobao' } };
  const it = aPull(tmc.url, { accounts });
  await expect(it.pull()).rejects.toThrow('1 accounts could not be asked');
  expect(it.ids()).toHaveLength(3);
});

test('a secret that is not filled in is told, not retried in silence', async () => {
  const tmc = await aTmc(messages);
  const it = aPull(tmc.url, { secret: {} });
  await expect(it.pull()).rejects.toThrow();
  expect(it.facts).toMatchObject([{ what: 'misconfigured', channel: 'taobao-tmc' }]);
  expect(tmc.calls).toEqual([]);
});

test('a vendor that always has more is left after twenty seconds', async () => {
  const tmc = await aTmc(messages);
  const it = aPull(tmc.url);
  tmc.fails = () => {
    it.world.now += 5000;
    for (const [id, message] of Object.entries(messages)) tmc.held.set(id, message);
    return undefined;
  };
  await it.pull();
  expect(tmc.calls.filter((call) => call === 'confirm').length).toBeLessThan(5);
});

test('brands that only receive have nobody to ask', () => {
  expect(pulledAccounts(aBrand())).toEqual([]);
});
