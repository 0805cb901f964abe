// One person whom nobody else is, told of by every way in: rightly, wrongly, and in places where no value belongs.
import { type SentRequest, sendGeneric, sendTracking, signWechat } from '../../lib/channels/sign.ts';
import { aBrand, aCapture, NOW, oa, type RawRequest, teahouse } from '../channels/captured.ts';
import { vendors } from '../channels/vendors/index.ts';
import type { Cage, Canaries } from './canaries.ts';

export const birds = {
  name: '金丝雀柳如是',
  latin: 'Kanarienvogel Quillfeather',
  phone: '+8613977015829',
  mail: 'quill.feather@canary-bird.example',
  openid: 'oCnrY7kQvXw2Rt5Zb9Lm3Hs8Pd1F',
  unionid: 'ocnRYunIon4Gt7Kp2Wx9Vb5Nq1Zs',
  external: 'wmCnrYexT8Jf3Dk6Sl1Aq0Ow9Ei7Ru4Ty',
  member: 'MBR-canary-7741-QX',
  device: 'dev-canary-99c1b2e7',
  address: '金丝雀胡同七十七号',
} satisfies Canaries;

const at = new Date(NOW).toISOString();
const inland = birds.phone.slice(3);

export const person = {
  ...{ member_id: birds.member, phone: birds.phone, email: birds.mail, name: birds.name },
  ...{ openid: birds.openid, appid: teahouse.appId, unionid: birds.unionid, device_id: birds.device },
};

let count = 0;
const till = (message: unknown): SentRequest =>
  sendGeneric(
    'pos',
    typeof message === 'string' ? message : JSON.stringify(message),
    teahouse.whsec,
    `c-${++count}`,
    NOW,
  );
const page = (call: string, message: unknown, key = teahouse.webKey): SentRequest =>
  sendTracking(call, typeof message === 'string' ? message : JSON.stringify(message), key);
const wechat = (message: string): SentRequest => signWechat(message, oa, NOW, `n-${++count}`);

const follow = (fields: string) =>
  `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[${birds.openid}]]></FromUserName><CreateTime>1760000000</CreateTime>${fields}</xml>`;

/** What an honest brand sends of this person. */
export const honestRequests = (): SentRequest[] => [
  till({
    type: 'member.registered',
    timestamp: at,
    data: { ...person, address: birds.address, note: birds.latin },
  }),
  till({ type: 'identity.linked', timestamp: at, data: { ...person, source: 'crm' } }),
  till({
    type: 'order.paid',
    timestamp: at,
    data: { ...person, order_id: 'CN-1', amount: 400_000, currency: 'CNY', receiver: birds.name },
  }),
  till({
    type: 'order.refunded',
    timestamp: at,
    data: { order_id: 'CN-1', refund_id: 'R-1', amount: 100, currency: 'CNY', ...person },
  }),
  till({
    ...{ type: 'contact_added', id: 'ca-1', timestamp: at },
    identifiers: [
      { kind: 'wecom_external_userid', scope: 'ww1', value: birds.external },
      { kind: 'phone', value: birds.phone },
    ],
    ...{ properties: { staff_id: 'S1', remark: birds.name }, traits: { nickname: birds.latin } },
  }),
  till({ type: 'lead.submitted', data: { ...person, form_id: 'f' } }), // no time: when it was first seen is kept
  till({ type: 'member_registered', timestamp: at, data: { member_id: 'another', phone: birds.phone } }), // a conflict
  page('identify', {
    messageId: 'i1',
    anonymousId: birds.device,
    userId: birds.member,
    timestamp: at,
    traits: { email: birds.mail, phone: birds.phone, name: birds.latin },
  }),
  page('page', {
    messageId: 'p1',
    anonymousId: birds.device,
    timestamp: at,
    context: { page: { url: `https://m.example/${birds.member}?phone=${inland}&utm_source=a` } },
  }),
  page('track', {
    event: `Called ${birds.latin}`.slice(0, 30),
    messageId: 't1',
    userId: birds.member,
    timestamp: at,
  }),
  wechat(follow('<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event>')),
  wechat(
    follow(
      `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${birds.name} ${inland}]]></Content><MsgId>77</MsgId>`,
    ),
  ),
];

/** Values of this person wherever a sender may err. */
export function hostileRequests(): (SentRequest | RawRequest)[] {
  const order = { order_id: 'CN-2', amount: 1, currency: 'CNY', ...person };
  const wrong: unknown[] = Object.values(birds).flatMap((bird) => [
    `{"phone":${bird}`,
    { type: bird, timestamp: at, data: person },
    { type: 'order.paid', timestamp: bird, data: order },
    { type: 'order.paid', timestamp: at, data: { ...order, amount: bird } },
    { type: 'order.paid', timestamp: at, data: { ...order, currency: bird } },
    { type: 'order.paid', timestamp: at, data: bird },
    { type: 'course_taken', timestamp: at, data: { ...person, phone: `${bird}!`, [`${bird}_id`]: {} } },
    { type: 'x', id: 'e', identifiers: [{ kind: bird, value: bird }], properties: {} },
    {
      type: 'x',
      id: 'e',
      identifiers: [{ kind: 'member_id', scope: `${bird} #`, value: bird }],
      properties: {},
    },
    {
      type: 'x',
      id: 'e',
      identifiers: [
        { kind: 'phone', value: bird },
        { kind: 'email', value: bird },
      ],
      context: bird,
    },
    { type: 'points_changed', timestamp: at, data: { ...person, account: 7.5, delta: bird } },
  ]);
  const good = till({ type: 'order.paid', timestamp: at, data: order });
  const seen = page('track', { event: 'x', userId: birds.member, messageId: 'm' });
  return [
    ...honestRequests(),
    ...wrong.map(till),
    ...wrong.map((it) => page('track', it)),
    page('track', {
      event: 'Order Completed',
      messageId: 'o1',
      ...person,
      userId: birds.member,
      properties: { order_id: birds.phone, total: 1 },
    }),
    page(birds.member, {}),
    page('track', seen.body, birds.phone),
    wechat(`<xml>${birds.name}`),
    ...[
      { path: `/webhooks/generic/${birds.member}` },
      { path: `/webhooks/${birds.member}/pos` },
      { headers: { ...good.headers, 'webhook-signature': `v1,${birds.mail}` } },
      { headers: { ...good.headers, 'webhook-id': birds.phone, 'webhook-timestamp': birds.phone } },
      { method: 'GET', rawQuery: `phone=${encodeURIComponent(birds.phone)}` },
      { method: 'PUT' },
      { body: JSON.stringify(order) },
      { body: JSON.stringify({ ...order, long: birds.address.repeat(60_000) }) },
    ].map((change) => ({ ...good, ...change })),
    ...Object.entries(vendors).flatMap(([channel, { accounts }]) =>
      Object.keys(accounts)
        .slice(0, 1)
        .map((account) => ({
          ...{ method: 'POST', path: `/webhooks/${channel}/${account}`, headers: { 'x-from': birds.mail } },
          rawQuery: `signature=${birds.member}&msg_signature=${birds.phone}`,
          body: JSON.stringify({ person, Encrypt: birds.name }),
        })),
    ),
  ];
}

/** A capture of a brand that has an account of every channel; those of the vendors are sent what they cannot verify. */
function aBirdhouse() {
  const { channels } = aBrand();
  const others = Object.entries(vendors).filter(([name]) => !Object.hasOwn(channels, name));
  return aCapture({
    brand: aBrand({
      channels: { ...channels, ...Object.fromEntries(others.map(([name, it]) => [name, it.accounts])) },
    }),
    secrets: Object.fromEntries(
      others.flatMap(([, { secrets }]) =>
        Object.entries(secrets).map(([name, held]) => [`siyu/qinghe/${name}`, held]),
      ),
    ),
  });
}

/** Sends requests to capture; whatever may be read of it outside of the brand's data goes into the cage. */
export async function sung(cage: Cage, requests: readonly (SentRequest | RawRequest)[]) {
  const house = aBirdhouse();
  const statuses: number[] = [];
  for (const request of requests) {
    const { statusCode = 0, body = '', headers } = await house.send(request);
    statuses.push(statusCode);
    cage.see(`reply ${statusCode}`, body, headers ?? {});
  }
  cage.see('fact', ...house.facts);
  cage.see('tally', ...house.tallies());
  cage.see('fault', ...house.faults().flatMap(({ reason, message, id }) => [reason, message, id]));
  cage.see('event id', ...house.events().map(({ id }) => id));
  return { requests: requests.length, statuses };
}

/** Bodies of the queue `events` as capture makes them of all that, and bodies that no version of ours wrote. */
export async function seeded() {
  const house = aBirdhouse();
  for (const request of hostileRequests()) await house.send(request);
  const values = Object.values(birds);
  const poison = [
    ...values.map((bird) => `${bird} is no JSON`),
    ...values.map((bird) => `{"${bird}`),
    ...values.map((bird) => JSON.stringify({ events: bird, faults: [bird], [bird]: bird })),
    JSON.stringify({ events: [{ ...person, type: birds.phone }], faults: [] }),
    JSON.stringify({
      profile: birds.phone,
      conversions: [birds.mail],
      since: birds.name,
      book: birds.member,
    }),
    JSON.stringify({ book: birds.member, segment: birds.phone, of: 1 }),
  ];
  return { bodies: house.bodies, poison };
}
