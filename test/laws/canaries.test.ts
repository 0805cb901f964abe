// Law: no name, phone, mail address or id of a person in any log, key, column, queue attribute, metric or error.
import { createHash } from 'node:crypto';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, test } from 'vitest';
import { sampledEvents } from '../../infra/data-map-known.ts';
import type { Event } from '../../lib/events/event.ts';
import type { Protector } from '../../lib/identity/protect.ts';
import { logError } from '../../lib/platform/log.ts';
import { openQueue } from '../../lib/platform/sqs.ts';
import { memoryQueue, memoryTable } from '../platform/memory.ts';
import { formsOf, openCage } from './canaries.ts';
import { birds, hostileRequests, seeded, sung } from './canaries-seeds.ts';
import { functionsOf, type Names, sharedOf, TICK } from './wiring.ts';
import { disorderly, orderly } from './world/mailbox.ts';
import { World, type WorldFunction, type WorldOptions } from './world/world.ts';

const shared = sharedOf('Asia/Shanghai');

/** The stack of the laws with everything that it writes seen. */
async function played(
  cage: ReturnType<typeof openCage>,
  events: readonly string[],
  options: Partial<WorldOptions<Names>> = {},
  of = shared,
) {
  const own = functionsOf(of);
  const caged =
    (open: WorldFunction<Names>): WorldFunction<Names> =>
    (io) => {
      const { conversions, recompute, tick } = io.queues;
      return open({
        ...io,
        table: cage.table(io.table),
        queues: {
          ...{ events: io.queues.events, tick },
          conversions: cage.queue('conversions', conversions),
          recompute: cage.queue('recompute', recompute),
        },
      });
    };
  const world = new World<Names>({
    functions: {
      ...{ events: caged(own.events), conversions: caged(own.conversions) },
      ...{ recompute: caged(own.recompute), tick: caged(own.tick) },
    },
    now: Date.parse('2025-10-10T00:00:00Z'),
    ...options,
  });
  await cage.hearing(async () => {
    await world.send('events', ...events);
    await world.run();
    await world.send('tick', TICK);
    await world.run();
  });
  cage.see('error', ...world.errors);
  return world;
}

describe('the cage', () => {
  const { phone = '' } = birds;

  test.each([
    [
      'a key',
      'key: phone',
      (cage) => cage.table(memoryTable()).put({ pk: `I#phone#e164#${phone}`, sk: '@' }),
    ],
    ['a sort key', 'key: phone', (cage) => cage.table(memoryTable()).put({ pk: 'P#1', sk: `C#${phone}` })],
    [
      'the index',
      'key: phone',
      (cage) => cage.table(memoryTable()).put({ pk: 'P#1', sk: '@', w: 'W#1', due: phone }),
    ],
    [
      'a column',
      'column: phone',
      (cage) => cage.table(memoryTable()).add({ pk: 'N#1', sk: '@' }, { [`n ${phone}`]: 1 }),
    ],
    ['a log', 'log "x": phone', (cage) => cage.hearing(async () => logError('x', new Error(`no ${phone}`)))],
    [
      'a stream',
      'log: phone',
      (cage) => cage.hearing(async () => void process.stdout.write(`{"a":"${phone}"}\n`)),
    ],
    ['a queue', 'queue q: phone', (cage) => cage.queue('q', memoryQueue()).send([`{"of":"${phone}"}`])],
    [
      'an error',
      'error: phone',
      async (cage) => cage.see('error', new Error('x', { cause: new Error(phone) })),
    ],
  ] satisfies [string, string, (cage: ReturnType<typeof openCage>) => Promise<unknown>][])(
    'hears a canary in %s',
    async (_, leak, write) => {
      const cage = openCage(birds);
      await write(cage);
      expect(cage.leaks()).toEqual([leak]);
    },
  );

  test.each([
    ['as it is', phone],
    ['without its country', phone.slice(3)],
    ['in percent-encoding', encodeURIComponent(phone)],
    ['in hex', Buffer.from(phone).toString('hex')],
    ['in base64', Buffer.from(phone).toString('base64')],
    ['in base64 among others', Buffer.from(`{"ab":"${phone}"}`).toString('base64')],
    ['in base64 among others, a byte later', Buffer.from(`{"abc":"${phone}"}`).toString('base64')],
    ['as a digest without a key', createHash('sha256').update(phone).digest('base64url')],
  ])('hears it %s', (_, text) => {
    const cage = openCage({ phone });
    cage.see('key', `I#phone#${text}#x`);
    expect(cage.leaks()).toEqual(['key: phone']);
  });

  test('hears nothing in what a keyed digest or a cipher made of it', () => {
    const cage = openCage({ phone });
    const stored = shared.protector.protect({ kind: 'phone', scope: 'e164', value: phone });
    cage.see('key', stored.value, shared.protector.digest(stored));
    expect(cage.leaks()).toEqual([]);
    expect(formsOf(phone).length).toBeGreaterThan(10);
  });
});

test('an entry of a queue has a number and a body: no attribute, no group', async () => {
  const client = new SQSClient({ region: 'cn-north-1' });
  const calls: object[] = [];
  mockClient(client)
    .on(SendMessageBatchCommand)
    .callsFake((input: { Entries: object[] }) => {
      calls.push(...input.Entries);
      return { Successful: [], Failed: [] };
    });
  await openQueue('https://sqs.cn-north-1.amazonaws.com.cn/1/events', client).send(
    (await seeded()).bodies.slice(0, 5),
  );
  expect(calls.map((entry) => Object.keys(entry).sort().join())).toEqual(Array(5).fill('Id,MessageBody'));
  expect(JSON.stringify(calls.map((entry) => ({ ...entry, MessageBody: '' })))).not.toMatch(/\d{5}|@/);
});

/** All that the samples of all channels call people by. */
const sampledPeople = (events: readonly Event[]) =>
  Object.fromEntries(
    events
      .flatMap(({ identifiers, traits = {} }) => [
        ...identifiers.map(({ kind, value }) => [kind, value] as const),
        ...['name', 'nickname'].map((trait) => [trait, String(traits[trait] ?? '')] as const),
      ])
      .filter(([, value]) => value.length >= 8 || /[^\x20-\x7e]/.test(value))
      .map(([kind, value]) => [`${kind} ${value}`, value]),
  );

test('the people of every channel’s samples are in no key, log, column or message between functions', async () => {
  const events = sampledEvents();
  const cage = openCage(sampledPeople(events));
  const bodies = events.map((event) => JSON.stringify({ events: [event], faults: [] }));
  const world = await played(cage, bodies);
  expect(Object.keys(sampledPeople(events)).length).toBeGreaterThan(50);
  expect(world.table.rows().filter(({ pk }) => pk.startsWith('P#')).length).toBeGreaterThan(50);
  expect(cage.counts()).toMatchObject({ key: expect.any(Number), 'queue conversions': expect.any(Number) });
  expect(cage.leaks()).toEqual([]);
}, 60_000);

test('what is sent in, in every wrong way too, is in no fact, refusal or reason of a fault', async () => {
  const cage = openCage(birds);
  const { requests, statuses } = await cage.hearing(() => sung(cage, hostileRequests()));
  expect(requests).toBeGreaterThan(60);
  expect(new Set(statuses)).toEqual(new Set([200, 401, 403, 404, 405, 413]));
  expect(cage.leaks()).toEqual([]);
});

test('a store that protects nothing is heard', async () => {
  const cage = openCage(birds);
  const plain: Protector = { protect: (id) => id, reveal: (id) => id, digest: ({ value }) => value };
  const { bodies } = await seeded();
  await played(cage, bodies, {}, { ...shared, protector: plain });
  expect(new Set(cage.leaks())).toEqual(
    new Set(['device', 'external', 'mail', 'member', 'openid', 'phone', 'unionid'].map((it) => `key: ${it}`)),
  );
});

test('and what came of it is in no key and no log, whatever crashes, fails or comes twice', async () => {
  const { bodies, poison } = await seeded();
  const plain = openCage(birds);
  const world = await played(plain, [...bodies, ...poison]);
  expect(world.table.rows().filter(({ pk }) => pk.startsWith('Q#')).length).toBeGreaterThan(5);
  expect(plain.leaks()).toEqual([]);

  const cage = openCage(birds);
  const kinds = ['crash-before', 'crash-after', 'throttle', 'lost-reply'] as const;
  const step = Math.max(1, Math.floor(world.points.length / 16));
  for (let i = 0; i < 16; i++) {
    const kind = kinds[i % kinds.length] ?? 'throttle';
    await played(cage, [...bodies, ...poison], {
      plan: [{ at: i * step, kind }],
      seed: i,
      disorder: disorderly,
    });
  }
  expect(cage.counts().log).toBeGreaterThan(5);
  expect(cage.counts().error).toBeGreaterThan(5);
  expect(cage.leaks()).toEqual([]);
}, 60_000);

test.each(['events', 'conversions', 'recompute'] as const)(
  'a message of the queue %s that is none of ours is quoted nowhere',
  async (queue) => {
    const cage = openCage(birds);
    const { poison } = await seeded();
    const own = functionsOf(shared);
    const world = new World<Names>({
      functions: {
        ...own,
        [queue]: (io: Parameters<(typeof own)[typeof queue]>[0]) =>
          own[queue]({ ...io, table: cage.table(io.table) }),
      },
      disorder: { ...orderly, park: 1 },
    });
    await cage.hearing(async () => {
      await world.send(queue, ...poison);
      await world.run();
    });
    cage.see('error', ...world.errors);
    expect(cage.leaks()).toEqual([]);
  },
);
