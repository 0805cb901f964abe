// Scope: a customer asks to see everything, then to be erased, from dead letters and counts too; the shop sends everything once more,
// and the customer comes back.

import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { eventsMessage } from '../../lib/events/event.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { openDeadLetters } from '../../lib/platform/dead-letters.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { type Visitor, visitorOf } from './visitor.ts';

let run: Run;
let visitor: Visitor;
beforeAll(async () => {
  run = await startRun({ brand: 'demo', clockAt: Date.parse('2026-11-11T10:00:00+08:00') });
  visitor = visitorOf(run);
});
afterAll(() => run?.stop());

/** What could not be worked on: the queue that the sweep is told of. */
function deadLetters() {
  const url = run.plan.functions.find(({ name }) => name === 'sweep')?.environment.EVENTS_DEAD_URL ?? '';
  const credentials = { accessKeyId: 'somebody', secretAccessKey: 'local' };
  return openDeadLetters(url, new SQSClient({ endpoint: new URL(url).origin, region: 'local', credentials }));
}

const memberOf = (value: string) => ({ kind: 'member_id', scope: 'demo', value });

const asked = z.object({ id: z.string() });
const request = z.looseObject({
  status: z.string(),
  receipt: z.looseObject({ residual: z.int(), found: z.looseObject({ events: z.int() }) }).optional(),
});
const order = (id: string, at: string) => ({
  type: 'order.paid',
  timestamp: at,
  data: { order_id: id, amount: 30_000, currency: 'CNY', member_id: 'M-77', phone: '13800138077' },
});
const ask = async (right: string): Promise<string> => {
  const body = { right, kind: 'member_id', value: 'M-77', reason: 'ticket 12' };
  const { status, text } = await visitor.post('/privacy/requests', body, run.keys.privacy);
  expect(status, text).toBe(202);
  return asked.parse(JSON.parse(text)).id;
};
const statusOf = async (path: string) => (await visitor.get(path, run.keys.privacy)).status;

test('all that is kept is shown; then it is gone, proven, and stays gone until the customer comes back', async () => {
  await visitor.tell(order('A-1', visitor.ago(3 * DAY)));
  await visitor.tell(order('A-2', visitor.ago(2 * HOUR)));
  await visitor.settled();
  const shown = await ask('export');
  const { text: page } = await visitor.get(`/privacy/requests/${shown}/page`, run.keys.privacy);
  for (const said of ['M-77', '+8613800138077', 'A-1', 'A-2']) expect(page).toContain(said);

  const at = toIso(run.clock.now() - HOUR);
  const mine = { ...anEventOf(['member_id:M-77'], at), identifiers: [memberOf('M-77')] };
  const other = { ...anEventOf(['member_id:M-78'], at), identifiers: [memberOf('M-78')] };
  const fault = {
    ...{ id: 'fault'.padEnd(16, '_'), reason: 'bad_time', message: 'no time', receivedAt: at },
    ...{ source: mine.source, body: { message: { mobile: '138 0013 8077' } } },
  };
  const messages = [
    { events: [mine, other], faults: [] },
    { events: [], faults: [fault] },
  ];
  await deadLetters().send(messages.map((it) => JSON.stringify(it)));

  const counted = z
    .object({ result: z.string() })
    .parse(JSON.parse((await visitor.post('/effect')).text)).result;
  await visitor.settled();
  expect((await visitor.get(counted)).status).toBe(200);

  const erased = await ask('erase');
  await visitor.settled();
  expect(await statusOf('/profiles/member_id/M-77')).toBe(404);
  expect((await visitor.report({ from: '2026-11-01', to: '2026-11-11' })).totals.conversions).toBe(0);
  for (const advance of ['40m', '10m']) {
    await visitor.clock({ advance }); // dead letters are looked through, and then it is proven
    await visitor.settled();
  }
  const done = await visitor.ask(`/privacy/requests/${erased}`, request, run.keys.privacy);
  expect(done).toMatchObject({
    status: 'done',
    receipt: {
      ...{ residual: 0, found: { events: 2 }, shredded: { clusters: 1, identifiers: 2 } },
      deadLetters: { messages: 2, events: 1 },
    },
  });
  const letters = await deadLetters().take(1_000);
  expect(letters.flatMap(({ body }) => eventsMessage.parse(JSON.parse(body)).events)).toEqual([other]);
  expect(await statusOf(`/privacy/requests/${shown}/archive`)).toBe(404);
  await visitor.clock({ advance: '10m' });
  await visitor.settled();
  expect((await visitor.get(counted)).status, 'what had counted them is ended').toBe(410);

  await visitor.repeat();
  await visitor.settled();
  expect(await statusOf('/profiles/member_id/M-77')).toBe(404);
  await visitor.tell(order('A-3', visitor.ago(0)));
  await visitor.settled();
  const back = await visitor.profile('member_id', 'M-77', run.keys.privacy);
  expect(back.firstSeenAt && back.firstSeenAt > '2026-11-11T02:00:00.000Z').toBe(true);
  expect(await visitor.conversions('member_id', 'M-77')).toHaveLength(1);
});
