// Scope: what a text may cost before anybody knows what it says, and what its names may do.
import { describe, expect, test } from 'vitest';
import { readJson } from '../../lib/channels/json.ts';
import { readXml } from '../../lib/channels/xml.ts';
import { checkEvent } from '../../lib/events/check.ts';
import { FaultError } from '../../lib/events/fault.ts';
import { aPlayed } from './played.ts';
import { douyinOpen } from './vendors/douyin-open.ts';

const list = (length: number, item: string) => `[${Array.from({ length }, () => item).join()}]`;
const named = (names: number) =>
  `{${Array.from({ length: names }, (_, i) => `"name-${i}":"value ${i}"`).join()}}`;

describe('JSON', () => {
  test('ten thousand values are read, however short', () => {
    expect(readJson(list(10_001, '0'))).toHaveLength(10_001);
  });

  test('one more is not', () => {
    expect(() => readJson(list(10_002, '0'))).toThrow(FaultError);
  });

  test('as many as there are in a long batch are read where they are as long as properties are', () => {
    expect(readJson(list(40_000, '"a property of it"'))).toHaveLength(40_000);
  });

  test('brackets are nested thirty-two deep, and no deeper', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(JSON.stringify(readJson(nested(32)))).toBe(nested(32));
    expect(() => readJson(nested(33))).toThrow('deeper');
  });

  test('commas in a word are none of its business', () => {
    expect(readJson(`"${','.repeat(50_000)}"`)).toHaveLength(50_000);
  });

  test('an object has at most two thousand names', () => {
    expect(Object.keys(Object(readJson(named(2_000))))).toHaveLength(2_000);
    expect(() => readJson(named(2_001))).toThrow('names');
  });
});

test('XML has at most five thousand elements', () => {
  const items = (count: number) => `<xml><List>${'<Item>1</Item>'.repeat(count)}</List></xml>`;
  expect(readXml(items(4_998))).toMatchObject({ List: [{ Item: { length: 4_998 } }] });
  expect(() => readXml(items(4_999))).toThrow('elements');
});

test('XML has at most twenty thousand marks, wherever they stand', () => {
  const escaped = (count: number) => `<xml><a>${'&lt;'.repeat(count)}</a></xml>`;
  expect(readXml(escaped(19_996))).toEqual({ a: '<'.repeat(19_996) });
  expect(() => readXml(escaped(19_997))).toThrow('marks');
});

test.each(['toString', 'hasOwnProperty', 'valueOf'])('a property may be called %s', (name) => {
  const properties = { product_id: 'p', quantity: 1, [name]: 'x' };
  expect(checkEvent('product_added', properties, 'client')).toMatchObject({ [name]: 'x' });
});

test('a Douyin address that is tried with content that cannot be read is refused, and nothing fails', async () => {
  const { say, refused } = aPlayed('douyin-open', douyinOpen);
  const message = '{"event":"verify_webhook","client_key":"awqh0teahouse","content":[1]}';
  expect((await say(message)).statusCode).toBe(401);
  expect(refused()).toEqual(['bad_echostr']);
});
