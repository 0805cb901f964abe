// Law: one person's values through a whole run: built functions, the template's table and queues, over HTTP. It takes as
// long as a journey and hears what `canaries.test.ts` hears of the same code, so that only deep runs have it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { MINUTE } from '../../lib/platform/clock.ts';
import { AUDIT } from '../../lib/platform/keys.ts';
import { visitorOf } from '../journeys/visitor.ts';
import { openCage } from './canaries.ts';
import { birds, person } from './canaries-seeds.ts';
import { isDeep } from './runs.ts';

const cage = openCage(birds);
let run: Run;
beforeAll(async () => {
  if (!isDeep()) return;
  run = await startRun({
    brand: 'demo',
    clockAt: Date.parse('2026-11-11T10:00:00+08:00'),
    log: (_, line) => cage.see('log', line),
  });
}, 120_000);
afterAll(() => run?.stop());

test.runIf(isDeep())(
  'they go in by three channels, are asked for by every role, and stand in no log and no key',
  async () => {
    const visitor = visitorOf(run);
    const at = visitor.ago(MINUTE);
    const { faults } = await visitor.tell({
      batch: [
        { type: 'member.registered', timestamp: at, data: person },
        {
          type: 'order.paid',
          timestamp: at,
          data: { ...person, order_id: 'CN-1', amount: 400_000, currency: 'CNY' },
        },
        { type: 'order.paid', timestamp: at, data: { ...person, order_id: 'CN-2', amount: birds.phone } },
        { type: birds.mail, timestamp: at, data: person },
        { type: 'member.registered', timestamp: at, data: { member_id: 'M-2', phone: birds.phone } },
      ],
    });
    expect(faults).toHaveLength(2);
    await visitor.track('identify', {
      ...{ messageId: 'i1', anonymousId: birds.device, userId: birds.member },
      traits: { email: birds.mail, phone: birds.phone, name: birds.latin },
    });
    await visitor.wechat({
      ...{ FromUserName: birds.openid, CreateTime: String(Math.floor(run.clock.now() / 1000)) },
      ...{ MsgType: 'text', Content: birds.name, MsgId: '77' },
    });
    // Refused, and so told in the log: a signature that is not ours, with values in every place.
    const refused = await fetch(
      `${run.url}/webhooks/wechat-oa/main?signature=${birds.member}&nonce=${birds.device}`,
      {
        ...{ method: 'POST', headers: { 'x-from': birds.mail }, body: `<xml>${birds.name}</xml>` },
      },
    );
    cage.see(`reply ${refused.status}`, await refused.text());
    expect(refused.status).toBe(401);
    await visitor.settled();

    const paths = ['', '/events', '/conversions', '/identity', '/tags/tier/explain', '/tags/nothing/explain'];
    const who = `/profiles/phone/${encodeURIComponent(birds.phone)}`;
    const asked = [
      ...paths.map((path) => `${who}${path}`),
      `/profiles/email/${birds.mail}`,
      `/tags/${birds.member}`,
      '/quarantine?body=true',
    ];
    const statuses = new Set<number>();
    for (const path of asked)
      for (const key of [...Object.values(run.keys), birds.member]) {
        const { status, text } = await visitor.get(path, key);
        statuses.add(status);
        if (status >= 400) cage.see(`refusal ${status}`, text);
      }
    expect([...statuses].sort()).toEqual([200, 401, 403, 404]);
    expect((await visitor.clock({ advance: '31d' })).status).toBe(200);
    await visitor.settled();

    for await (const { pk, sk, w = '', due = '', ...row } of run.rows()) {
      cage.see('key', pk, sk, w, due);
      if (pk.startsWith(AUDIT)) cage.see('audit', row);
    }
    expect(cage.counts()).toMatchObject({
      key: expect.any(Number),
      log: expect.any(Number),
      audit: expect.any(Number),
    });
    expect(cage.leaks()).toEqual([]);
  },
  60_000,
);
