// Law: what vendors say when they are asked stands in no log, no key and no reason of a fault, whatever they answer.
import { expect, test } from 'vitest';
import { fetchMemory, onHints } from '../../lib/capture/fetch.ts';
import type { HintMessage } from '../../lib/channels/hint.ts';
import { MESSAGES } from '../../lib/channels/wecom-fetched.ts';
import { CONTACT } from '../../lib/channels/wecom-note.ts';
import { eventsMessage } from '../../lib/events/event.ts';
import { aBrand, NOW } from '../channels/captured.ts';
import { wecomVendor } from '../channels/vendors/wecom.ts';
import { corpSecret } from '../channels/vendors/wecom-api.ts';
import { memoryQueue, memoryTable } from '../platform/memory.ts';
import { openCage } from './canaries.ts';
import { birds, seeded } from './canaries-seeds.ts';

const [plain] = Object.values(wecomVendor.accounts);
const account = { ...plain, fetch: ['contacts', 'messages'], secret: 'wecom', url: 'https://wecom.example' };
const brand = aBrand({ channels: { wecom: { main: account } } });
const secret = {
  token: 'QhWecomToken01',
  encodingAesKey: 'wecomTeahouse0123456789abcdefghijklmnopqrst',
  corpSecret,
};

const contact = {
  errcode: 0,
  external_contact: { external_userid: birds.external, name: birds.name, unionid: birds.unionid },
  follow_user: [
    {
      ...{ userid: 'linxiao', remark: birds.name, description: birds.address, remark_mobiles: [birds.phone] },
      tags: [{ tag_id: 't1', tag_name: 'vip', type: 1 }],
    },
  ],
};
const said = (text: string) => ({
  msgid: `m ${text}`,
  msgtype: text,
  origin: 3,
  external_userid: birds.external,
});

/** What WeCom may answer: rightly, wrongly, and quoting what it was asked. */
const answers: readonly (() => Response | Promise<Response>)[] = [
  () => Response.json(contact),
  () =>
    Response.json({
      errcode: 0,
      msg_list: [said('text'), { msgtype: birds.phone }, birds.mail],
      next_cursor: 'c1',
    }),
  () => new Response(`<html>${birds.phone} ${birds.name}</html>`),
  () => new Response(`{"${birds.mail}": ${birds.phone}`),
  () => new Response(birds.member, { status: 502 }),
  () => Response.json({ errcode: 40_096, errmsg: `invalid ${birds.external} ${birds.phone}` }),
  () => Response.json({ errcode: 48_002, errmsg: birds.name, errdata: { phone: birds.phone } }),
  () => Promise.reject(new TypeError(`fetch failed: ${birds.phone}`)),
];

test.each(answers.map((answer, i) => [i + 1, answer] as const))('answer %i', async (_, answer) => {
  const cage = openCage(birds);
  const table = memoryTable();
  const queue = memoryQueue();
  const hints: HintMessage[] = [
    {
      source: { channel: 'wecom', account: 'main' },
      hint: { what: CONTACT, of: { external_userid: birds.external } },
    },
    {
      source: { channel: 'wecom', account: 'main' },
      hint: { what: MESSAGES, of: { open_kfid: 'wk1' }, pass: birds.member },
    },
  ];
  const { poison } = await seeded();
  const messages = [...hints.map((it) => JSON.stringify(it)), ...poison].map((body, i) => ({
    id: `${i}`,
    body,
  }));
  await cage.hearing(() =>
    onHints(messages, {
      ...{ brand, queue, hints: memoryQueue(), memory: fetchMemory(), now: () => NOW },
      table: cage.table(table),
      secrets: { get: async () => secret },
      fetch: async (url) =>
        String(url).includes('gettoken')
          ? Response.json({ errcode: 0, access_token: 'good', expires_in: 7200 })
          : answer(),
      tell: (fact) => cage.see('fact', fact),
    }),
  );
  const faults = queue.bodies.flatMap((body) => eventsMessage.parse(JSON.parse(body)).faults);
  cage.see('fault', ...faults.flatMap(({ reason, message, id }) => [reason, message, id]));
  expect(faults.length).toBeGreaterThanOrEqual(poison.length);
  expect(cage.leaks()).toEqual([]);
});
