// Scope: what listens to the journeys hears a value wherever it may not stand, and does not repeat it.
import { expect, test } from 'vitest';
import { birds } from '../laws/canaries-seeds.ts';
import { anEventOf } from '../laws/oracle/an-event.ts';
import { openEar } from './overheard.ts';

const event = {
  ...anEventOf(['member_id:one'], '2026-11-11T00:00:00.000Z', { type: 'page_viewed', properties: {} }),
  identifiers: [
    { kind: 'phone', scope: '*', value: birds.phone },
    { kind: 'wechat_openid', scope: 'app', value: birds.openid },
    { kind: 'order_id', scope: 'shop', value: 'ORDER-2026-0001' },
  ],
  traits: { name: birds.name, level: 'gold-level' },
  properties: { content: birds.latin, url: 'https://shop.example/page' },
};
const aws = (target: string, body: unknown) =>
  [{ 'x-amz-target': target }, Buffer.from(JSON.stringify(body))] as const;
const message = (body: unknown, queue = 'siyu-Events', beside = {}) =>
  aws('AmazonSQS.SendMessageBatch', {
    QueueUrl: `http://127.0.0.1:1/0/${queue}`,
    Entries: [{ Id: '0', MessageBody: JSON.stringify(body), ...beside }],
  });
const put = (item: Record<string, unknown>) =>
  aws('DynamoDB_20120810.PutItem', { TableName: 't', Item: item });

function told() {
  const ear = openEar();
  ear.request(...message({ events: [event], faults: [] }));
  return ear;
}

test('values are learned from the queue of events: what names or reaches somebody, and nothing else', () => {
  expect([...told().values.values()].sort()).toEqual(['content', 'name', 'phone', 'wechat_openid']);
  expect(told().leaks()).toEqual([]);
});

test.each<[string, (ear: ReturnType<typeof told>) => void]>([
  ['key I#: phone', (ear) => ear.request(...put({ pk: { S: `I#${birds.phone}` }, sk: { S: '@' } }))],
  ['key P#: wechat_openid', (ear) => ear.request(...put({ pk: { S: 'P#1' }, sk: { S: birds.openid } }))],
  [
    'key P#: phone',
    (ear) => ear.request(...put({ pk: { S: 'P#1' }, sk: { S: '@' }, w: { S: birds.phone } })),
  ],
  [
    'column: wechat_openid',
    (ear) =>
      ear.request(
        ...aws('DynamoDB_20120810.UpdateItem', {
          Key: { pk: { S: 'N#1' }, sk: { S: '@' } },
          ExpressionAttributeNames: { '#n0': birds.openid },
        }),
      ),
  ],
  [
    'queue attribute: phone',
    (ear) =>
      ear.request(...message({ events: [], faults: [] }, 'siyu-Events', { MessageGroupId: birds.phone })),
  ],
  [
    'queue siyu-Conversions: phone',
    (ear) => ear.request(...message({ profile: birds.phone }, 'siyu-Conversions')),
  ],
  ['log of profile: name', (ear) => ear.hear('log of profile', `could not greet ${birds.name}`)],
  [
    'log of profile: phone',
    (ear) => ear.hear('log of profile', Buffer.from(`tel ${birds.phone}`).toString('base64')),
  ],
  ['refusal 404: content', (ear) => ear.hear('refusal 404', JSON.stringify({ error: `no ${birds.latin}` }))],
])('%s is heard', (leak, say) => {
  const ear = told();
  say(ear);
  expect(ear.leaks()).toEqual([leak]);
  for (const value of Object.values(birds)) expect(JSON.stringify(ear.leaks())).not.toContain(value);
});

test('where values belong they are no leak: on the queue of events, in what a row holds', () => {
  const ear = told();
  ear.request(...message({ events: [], faults: [], tally: birds.phone }));
  ear.request(...put({ pk: { S: 'P#1' }, sk: { S: '@' }, name: { S: birds.name } }));
  expect(ear.leaks()).toEqual([]);
});
