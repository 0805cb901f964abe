import { beforeAll, expect, test, vi } from 'vitest';
import { capture } from '../../lib/capture/capture.ts';
import { openNonces } from '../../lib/capture/nonces.ts';
import { type SentRequest, sendGeneric, sendTracking } from '../../lib/channels/sign.ts';
import { eventsMessage } from '../../lib/events/event.ts';
import { SECOND } from '../../lib/platform/clock.ts';
import { httpHandler } from '../../lib/platform/http.ts';
import { aBrand, NOW, teahouse, toLambda } from '../channels/captured.ts';
import { factsOf, mustBeSame } from './verdict.ts';
import { functionsOf, type Names, sharedOf } from './wiring.ts';
import { type Fault, faults, openLine } from './world/faults.ts';
import { faultyQueue } from './world/faulty.ts';
import { mailbox, orderly } from './world/mailbox.ts';
import { dice } from './world/random.ts';
import { schedules } from './world/schedules.ts';
import { World } from './world/world.ts';

// Law 1 at the door: what was answered with 2xx is on the queue, whatever fails. A sender tries again until it is
// answered so; what it sent again is the same event.

const FILE = 'capture';
/** Of pairs of faults so few are folded too: it takes ten times as long, and what is on the queue is compared with all. */
const FOLDED_ONE_IN = 5;
/** More often than any plan has faults. */
const TRIES = 5;

beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true); // a request that fails by plan is logged
});

const isoOf = (seconds: number) => new Date(NOW - seconds * SECOND).toISOString();
const order = (number: number) => ({
  type: 'order.paid',
  id: `order-${number}`,
  timestamp: isoOf(number),
  data: { order_id: `o${number}`, amount: 100 + number, currency: 'CNY', member_id: `M${number % 3}` },
});
/** So long that a request makes several messages. */
const note = 'x'.repeat(20_000);
const call = (number: number) => ({
  type: 'track',
  event: 'Product Viewed',
  userId: `M${number % 3}`,
  messageId: `call-${number}`,
  timestamp: isoOf(number),
  properties: { product_id: `p${number}`, note: number < 16 ? note : '' },
});

const requests: readonly SentRequest[] = [
  sendGeneric('pos', JSON.stringify(order(1)), teahouse.whsec, 'msg_1', NOW),
  sendGeneric(
    'pos',
    JSON.stringify([order(2), { type: 'order.paid', data: {} }, order(3)]),
    teahouse.whsec,
    'msg_2',
    NOW,
  ),
  sendTracking(
    'batch',
    JSON.stringify({ batch: Array.from({ length: 18 }, (_, i) => call(i)) }),
    teahouse.serverKey,
  ),
];

const secrets: Record<string, unknown> = {
  'siyu/qinghe/pos': { keys: [teahouse.whsec] },
  'siyu/qinghe/web': { writeKey: teahouse.webKey },
  'siyu/qinghe/server': { writeKey: teahouse.serverKey },
};

/** All requests, each sent until it is answered with 2xx. @returns what is on the queue, and what each answer had put there */
async function sent(plan: readonly Fault[] = []) {
  const run = faults(plan);
  const queue = mailbox(dice(1), orderly);
  const lost: string[] = [];
  let now = NOW;
  for (const [i, request] of requests.entries()) {
    for (let attempt = 1; ; attempt++) {
      expect(attempt, 'a request is answered with 2xx at last').toBeLessThanOrEqual(TRIES);
      now += SECOND;
      const line = openLine(`capture ${i + 1}`, run);
      const handler = httpHandler(
        () => ({
          brand: aBrand(),
          secrets: { get: async (name: string) => secrets[name] },
          queue: faultyQueue('events', queue, line),
          now: () => now,
          nonces: openNonces(),
          tell: () => {},
        }),
        capture,
      );
      const reply = await Promise.race([handler(toLambda(request), CONTEXT), line.crashed]).catch(
        () => undefined,
      );
      const status = reply?.statusCode ?? 500; // a function that crashed is answered by the gateway
      if (status >= 200 && status < 300) {
        const missing = wanted[i]?.filter((id) => !idsOn(queue.sent).includes(id)) ?? [];
        lost.push(...missing);
        break;
      }
      expect(status).toBe(500);
    }
  }
  return { queue, points: run.points, lost };
}

const CONTEXT = {
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'capture',
  functionVersion: '1',
  invokedFunctionArn: '',
  memoryLimitInMB: '256',
  awsRequestId: '',
  logGroupName: '',
  logStreamName: '',
  getRemainingTimeInMillis: () => 1_000,
  done: () => {},
  fail: () => {},
  succeed: () => {},
};

const idsOn = (bodies: readonly string[]): string[] =>
  bodies.flatMap((body) => {
    const { events, faults } = eventsMessage.parse(JSON.parse(body));
    return [...events, ...faults].map(({ id }) => id);
  });

/** Ids of what each request brings. */
const wanted: string[][] = [];

test('what was answered with 2xx is on the queue, whatever fails, and what a sender sends again changes nothing', {
  timeout: 300_000,
}, async () => {
  let before = 0;
  const calm = await sent();
  for (const point of calm.points) {
    const bodies = Number(/send (\d+)/.exec(point.does)?.[1]);
    wanted.push(idsOn(calm.queue.sent.slice(before, before + bodies)));
    before += bodies;
  }
  expect(wanted.map((ids) => ids.length)).toEqual([1, 3, 18]);
  expect(calm.queue.sent.length).toBeGreaterThan(requests.length); // one of them was several messages

  const folded = async (bodies: readonly string[]) => {
    const world = new World<Names>({
      functions: functionsOf(sharedOf('Asia/Shanghai')),
      now: NOW + 60 * SECOND,
    });
    await world.send('events', ...bodies);
    await world.run();
    return world;
  };
  const facts = await factsOf(await folded(calm.queue.sent));
  let run = 0;
  for (const plan of schedules(calm.points)) {
    run++;
    const { queue, lost } = await sent(plan);
    expect(lost, JSON.stringify(plan)).toEqual([]);
    if (plan.length > 1 && run % FOLDED_ONE_IN !== 0) continue;
    const world = await folded(queue.sent);
    mustBeSame(facts, await factsOf(world), world, {
      how: JSON.stringify(plan),
      replay: `npm run test:laws -- ${FILE}`,
    });
  }
  expect(run).toBeGreaterThanOrEqual(300);
});
