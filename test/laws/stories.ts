import type { Event, Fault } from '../../lib/events/event.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';
import { anEventOf } from './oracle/an-event.ts';
import { aDecision } from './oracle/decisions.ts';
import { type Condition, family, rulesOf } from './oracle/family.ts';
import { NOW } from './oracle/histories.ts';
import type { Step } from './story.ts';
import type { Told } from './verdict.ts';
import { sharedOf } from './wiring.ts';

/** What happens to a few people, small enough that every fault of every kind can happen at every point of it. */
export interface Story {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Rules in force at the end, if not the brand's. */
  readonly after?: Told;
  /** A build runs all its single faults, and one pair in some, as of a story with many points. */
  readonly isLong?: boolean;
}

export const ZONE = 'Asia/Shanghai';

/** The instant so many days before now. */
export const ago = (days: number): string => toIso(NOW - days * DAY);

export const visit = (ids: string[], days: number, channel = 'wecom'): Event =>
  anEventOf(ids, ago(days), {
    type: 'page_viewed',
    properties: { url: 'https://shop.example/p/1' },
    context: { campaign: { channel } },
  });
export const order = (ids: string[], days: number, id: string, amount: number): Event =>
  anEventOf(ids, ago(days), {
    type: 'order_paid',
    properties: { order_id: id, paid_amount: amount, currency: 'CNY' },
  });
const refund = (ids: string[], days: number, id: string, orderId: string, amount: number): Event =>
  anEventOf(ids, ago(days), {
    type: 'order_refunded',
    properties: { refund_id: id, order_id: orderId, refund_amount: amount, currency: 'CNY' },
  });
const link = (ids: string[], days: number): Event =>
  anEventOf(ids, ago(days), { properties: { link_source: 'crm' }, traits: { city: `city ${days}` } });

const fault = (number: number): Fault => ({
  id: `fault${number}`.padEnd(16, '0'),
  reason: 'missing_property',
  message: 'order_paid needs paid_amount',
  receivedAt: toIso(NOW),
  source: { channel: 'generic', account: 'pos' },
  body: { type: 'order.paid', data: { order_id: 'o1' } },
});

const one = (...events: Event[]): Step => ({ send: [events] });
const many = (ids: string[], count: number, from: number): Event[] =>
  Array.from({ length: count }, (_, i) => visit(ids, from - i / 10, i % 2 === 0 ? 'wecom' : 'douyin'));

/** Who is who: joins, chains of them, conflicts, and what belongs to weak identifiers. */
export const identityStories = (): Story[] => [
  {
    name: 'two known people turn out to be one',
    steps: [
      { send: [[visit(['member_id:1'], 3)], [order(['wechat_unionid:u'], 2, 'o1', 9_999)]] },
      one(link(['member_id:1', 'wechat_unionid:u'], 1)),
    ],
  },
  {
    name: 'three known people turn out to be one in one batch',
    steps: [
      one(visit(['member_id:1'], 5), visit(['wechat_unionid:u'], 4)),
      one(order(['phone:1'], 3, 'o1', 10_000)),
      { send: [[link(['member_id:1', 'phone:1'], 2)], [link(['wechat_unionid:u', 'phone:1'], 1)]] },
    ],
  },
  {
    name: 'two people share a phone, and somebody has to look',
    steps: [
      one(link(['member_id:1', 'phone:1'], 3)),
      one(order(['member_id:2'], 2.5, 'o1', 10_000)),
      one(link(['member_id:2', 'phone:1'], 2)),
    ],
  },
  {
    name: 'a conflict is decided anew by an earlier meeting that comes late',
    steps: [
      one(link(['member_id:1', 'phone:1'], 3), link(['member_id:2', 'phone:1'], 2)),
      one(link(['member_id:2', 'phone:1'], 4)),
    ],
  },
  {
    name: 'a browser and a device become a member, then another member logs in',
    steps: [
      one(visit(['anonymous_id:a', 'device_id:d'], 5)),
      one(order(['member_id:1', 'anonymous_id:a'], 3, 'o1', 10_000)),
      one(visit(['member_id:2', 'device_id:d'], 2), visit(['device_id:d'], 1)),
    ],
  },
  {
    name: 'a device goes over to who is found to have used it first',
    steps: [
      one(visit(['member_id:1', 'device_id:d'], 2), visit(['device_id:d'], 1)),
      one(order(['member_id:2', 'device_id:d'], 3, 'o1', 25_001)),
    ],
  },
];

const decided = (ids: [string, string], verdict: Parameters<typeof aDecision>[1], hours: number): Event =>
  aDecision(
    anEventOf(ids, ago(0)).identifiers,
    verdict,
    toIso(NOW - hours * HOUR),
    `by hand ${hours}`.replaceAll(' ', '_'),
  );

/** What people decide: joins undone while more comes, conflicts accepted, a device taken from its owner. */
export const undoStories = (): Story[] => [
  {
    name: 'two who met are taken apart, with their orders, while the next event is on its way',
    isLong: true,
    steps: [
      one(order(['phone:1'], 3, 'o1', 10_000)),
      one(link(['member_id:1', 'phone:1'], 2)),
      { send: [[decided(['member_id:1', 'phone:1'], 'apart', 5)], [visit(['phone:1'], 0.1)]] },
    ],
  },
  {
    name: 'two strangers are joined by hand, and it is undone in one batch with what came meanwhile',
    isLong: true,
    steps: [
      { send: [[order(['member_id:1'], 3, 'o1', 9_999)], [visit(['wechat_unionid:u'], 4)]] },
      one(decided(['member_id:1', 'wechat_unionid:u'], 'together', 5)),
      {
        send: [[visit(['wechat_unionid:u'], 0.1)], [decided(['member_id:1', 'wechat_unionid:u'], 'open', 1)]],
      },
    ],
  },
  {
    name: 'four members use one device within a day, and then it is nobody’s',
    isLong: true,
    steps: [
      one(
        ...[1, 2, 3].map((i) => visit([`member_id:${i}`, 'device_id:d'], 3 - i / 10)),
        visit(['device_id:d'], 2.5),
      ),
      one(visit(['member_id:4', 'device_id:d'], 2.1)),
    ],
  },
  {
    name: 'a conflict is accepted, and a device is taken from its owner, before either was seen',
    isLong: true,
    steps: [
      one(decided(['member_id:2', 'phone:1'], 'together', 5)),
      one(
        decided(['member_id:1', 'device_id:d'], 'apart', 4),
        visit(['member_id:1', 'device_id:d', 'phone:1'], 2),
      ),
      one(link(['member_id:2', 'phone:1'], 1), order(['device_id:d'], 1, 'o1', 25_001)),
    ],
  },
];

/** The journal: more than a tail holds, repetitions of what is sealed, late events, joins of sealed people. */
export const journalStories = (): Story[] => {
  const sealed = many(['member_id:1'], 13, 20);
  const other = many(['wechat_unionid:u'], 13, 21);
  return [
    {
      name: 'one person, one order, one refund',
      steps: [
        one(visit(['member_id:1'], 3), order(['member_id:1'], 2, 'o1', 10_000)),
        one(refund(['member_id:1'], 1, 'r1', 'o1', 3_333), visit(['member_id:1'], 4, 'douyin')),
      ],
    },
    {
      name: 'a tail is sealed, and what is sealed comes again',
      steps: [
        one(...sealed.slice(0, 11)),
        one(...sealed.slice(11), order(['member_id:1'], 1, 'o1', 10_000)),
        one(sealed[3]!, sealed[12]!, visit(['member_id:1'], 0.5)),
      ],
    },
    {
      name: 'two segments, then an order that should have come before both',
      steps: [
        one(...sealed.slice(0, 12)),
        one(...many(['member_id:1'], 12, 10)),
        one(visit(['member_id:1'], 2)),
        one(order(['member_id:1'], 25, 'o1', 25_001)),
      ],
    },
    {
      name: 'two people with sealed journals turn out to be one',
      steps: [
        { send: [sealed.slice(0, 12), other.slice(0, 12)] },
        { send: [[sealed[12]!], [other[12]!]] },
        one(order(['member_id:1', 'wechat_unionid:u'], 1, 'o1', 10_000)),
      ],
    },
    {
      name: 'an event without a time of its own comes twice',
      steps: [
        one(untimed(ago(1))),
        { passMs: HOUR },
        one({ ...untimed(toIso(NOW + HOUR)) }, order(['member_id:1'], 0, 'o1', 10_000)),
      ],
    },
  ];
};

const untimed = (receivedAt: string): Event => ({
  ...anEventOf(['member_id:1'], receivedAt, {
    id: 'untimed000000000',
    type: 'member_registered',
    properties: { member_id: '1' },
    context: { timeSource: 'received' },
  }),
  receivedAt,
});

/** Money and time: restated credits, tags that change by time and by new rules, what cannot be taken. */
export const derivedStories = (): Story[] => [
  {
    name: 'a refund before its order, an order twice, a touch that comes late',
    steps: [
      one(refund(['member_id:1'], 2, 'r1', 'o1', 3_333)),
      one(order(['member_id:1'], 3, 'o1', 10_000)),
      one(order(['member_id:1'], 3.5, 'o1', 9_999), order(['member_id:1'], 1, 'o2', 25_001)),
      one(visit(['member_id:1'], 5, 'douyin'), visit(['member_id:1'], 2.5)),
    ],
  },
  {
    name: 'windows end for two people, then something late comes for one',
    steps: [
      { send: [[order(['member_id:1'], 1, 'o1', 10_000)], [visit(['member_id:2'], 1)]] },
      { passMs: 8 * DAY },
      { tick: true },
      { passMs: 31 * DAY },
      { tick: true },
      one(order(['member_id:1'], -5, 'o2', 9_999)),
    ],
  },
  {
    name: 'other rules come into force',
    after: otherRules(),
    steps: [
      { send: [[order(['member_id:1'], 1, 'o1', 10_000)], [visit(['wechat_unionid:u'], 1)]] },
      { publish: otherRules().rules },
      one(order(['member_id:1', 'wechat_unionid:u'], 0.5, 'o2', 25_001)),
    ],
  },
  {
    name: 'a message with faults, and one that nobody can read, beside good ones',
    steps: [
      {
        send: [[visit(['member_id:1'], 1)], [order(['member_id:1'], 0.5, 'o1', 9_999)]],
        faults: [fault(1), fault(2)],
      },
      { bodies: ['{"no":"message"}', 'not even JSON'] },
      { send: [[visit(['member_id:2'], 1)]], faults: [fault(1), fault(3)] },
    ],
  },
];

/** The family with another amount for one tag, and two tags fewer. */
export function otherRules(): Told {
  const { brand } = sharedOf(ZONE);
  const others = family
    .filter(({ tag }) => tag !== 'hot' && tag !== 'at_risk')
    .map((rule) => (rule.tag === 'spender' ? { tag: 'spender', when: spends } : rule));
  const rules = rulesOf(others).map((rule) => ({ ...rule, version: rule.tag === 'spender' ? 2 : 1 }));
  return { rules: { book: compileRules(rules, brand), brand }, family: others };
}

const spends: Condition = {
  is: 'leaf',
  type: 'order_paid',
  within: { days: 7 },
  aggregate: 'sum',
  property: 'paid_amount',
  atLeast: 30_000,
};
