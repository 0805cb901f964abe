// What a fuzz does to requests and messages: each change by dice, so that a seed gives the same again.
import { gzipSync } from 'node:zlib';
import type { Dice } from '../laws/world/random.ts';
import type { RawRequest } from './captured.ts';

const one = <T>(from: readonly T[], dice: Dice): T => dice.take([...from]);
export const bytesOf = ({ body }: RawRequest): Buffer => Buffer.from(body);

/** Texts that break what takes them for a name, a number, a time, a header or markup. */
export const nasty: readonly string[] = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'a\r\nset-cookie: a=b',
  'a\nb\u2028c',
  '\u0000',
  '\ud800',
  '\uffff\ufffe',
  '\u0007\u001b[31m',
  '<script>alert(1)</script>',
  '%00%ff%',
  '{{7*7}}',
  '../../etc/passwd',
  '-1',
  '0',
  '1e999',
  'NaN',
  '0x10',
  '99999999999999999999999',
  '1760000000',
  '2025-02-30 25:61:61',
  '13800138000',
  '+8613800138000',
  'mei@example.com',
  '&lt;a&gt;',
  ']]>',
  '{"a":',
  '😀'.repeat(40),
  'x'.repeat(5000),
];

function textChanged(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1);
  const ways: readonly (() => string)[] = [
    () => text.slice(0, at),
    () => text.slice(at),
    () => `${text.slice(0, at)}${one(nasty, dice)}${text.slice(at)}`,
    () =>
      `${text.slice(0, at)}${String.fromCharCode((text.charCodeAt(at) || 65) ^ (1 << dice.below(7)))}${text.slice(at + 1)}`,
    () => text.toUpperCase(),
    () => `${text},${text}`,
    () => one(nasty, dice),
  ];
  return one(ways, dice)();
}

function bitsFlipped(bytes: Buffer, dice: Dice): Buffer {
  if (bytes.length === 0) return Buffer.from([1 << dice.below(8)]);
  const flipped = Buffer.from(bytes);
  for (let i = dice.below(3); i >= 0; i--) {
    const at = dice.below(flipped.length);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << dice.below(8)), at);
  }
  return flipped;
}

/** Bytes put into the middle, the beginning or the end. */
function inserted(into: Buffer, what: Buffer, dice: Dice): Buffer {
  const at = one([0, into.length, dice.below(into.length + 1)], dice);
  return Buffer.concat([into.subarray(0, at), what, into.subarray(at)]);
}

const headerOf = (request: RawRequest, dice: Dice): string | undefined => {
  const names = Object.keys(request.headers).filter((name) => name !== 'content-type');
  return names.length === 0 ? undefined : one(names, dice);
};

function headerChanged(
  request: RawRequest,
  dice: Dice,
  to: (value: string) => string | undefined,
): RawRequest {
  const name = headerOf(request, dice);
  if (name === undefined) return request;
  const { [name]: value = '', ...rest } = request.headers;
  const changed = to(value);
  return { ...request, headers: changed === undefined ? rest : { ...rest, [name]: changed } };
}

function queryChanged(request: RawRequest, dice: Dice, to: (pair: string) => string): RawRequest {
  const pairs = request.rawQuery.split('&');
  const at = dice.below(pairs.length);
  const rawQuery = pairs.flatMap((pair, i) => (i === at ? to(pair) : pair)).join('&');
  return { ...request, rawQuery: rawQuery.replace(/&&|^&|&$/g, '') };
}

const digitMoved = (text: string, dice: Dice) =>
  text.replace(/\d(?=\D*$|\d{0,4}\D*$)/, () => String(dice.below(10)));

type Change = (request: RawRequest, dice: Dice, other: RawRequest) => RawRequest;

/** Changes to a request that was signed before. `other` is another request that is good by itself. */
export const requestChanges: Readonly<Record<string, Change>> = {
  'bits of the body': (it, dice) => ({ ...it, body: bitsFlipped(bytesOf(it), dice) }),
  'body cut': (it, dice) => ({ ...it, body: bytesOf(it).subarray(0, dice.below(bytesOf(it).length + 1)) }),
  'body longer': (it, dice) => {
    const tail = one(['\0', ' ', '\n', '{}', ']', 'x'.repeat(300), '\ufeff', '<a/>', '&a=b'], dice);
    return { ...it, body: inserted(bytesOf(it), Buffer.from(tail), dice) };
  },
  'bad UTF-8': (it, dice) => {
    const bad = one(
      [
        [0xff, 0xfe],
        [0xc0, 0xaf],
        [0xed, 0xa0, 0x80],
        [0xf4, 0x90, 0x80, 0x80],
        [0xe2, 0x82],
      ],
      dice,
    );
    return { ...it, body: inserted(bytesOf(it), Buffer.from(bad), dice) };
  },
  'poison in the body': (it, dice) => {
    const name = one(['__proto__', 'constructor', 'prototype'], dice);
    const text = bytesOf(it).toString();
    const poison = `"${name}":{"polluted":true},`;
    return {
      ...it,
      body: text.startsWith('<')
        ? text.replace('>', `><${name}><polluted>1</polluted></${name}>`)
        : text.replace('{', `{${poison}`),
    };
  },
  DOCTYPE: (it) => ({ ...it, body: `<!DOCTYPE x [<!ENTITY a "b">]>${bytesOf(it)}` }),
  'empty body': (it) => ({ ...it, body: '' }),
  'other body': (it, _dice, other) => ({ ...it, body: other.body }),
  'other headers': (it, _dice, other) => ({ ...it, headers: other.headers }),
  'other query': (it, _dice, other) => ({ ...it, rawQuery: other.rawQuery }),
  'zipped body': (it) => ({
    ...it,
    body: gzipSync(bytesOf(it)),
    headers: { ...it.headers, 'content-encoding': 'gzip' },
  }),
  'header changed': (it, dice) => headerChanged(it, dice, (value) => textChanged(value, dice)),
  'header gone': (it, dice) => headerChanged(it, dice, () => undefined),
  'CRLF in a header': (it, dice) => headerChanged(it, dice, (value) => `${value}\r\nx-injected: 1`),
  'digit of a header': (it, dice) => headerChanged(it, dice, (value) => digitMoved(value, dice)),
  'query changed': (it, dice) =>
    queryChanged(it, dice, (pair) => textChanged(pair, dice).replaceAll('&', '%26')),
  'query twice': (it, dice) =>
    queryChanged(it, dice, (pair) => {
      const again = `${pair.split('=')[0] ?? ''}=${encodeURIComponent(one(nasty, dice).toWellFormed())}`;
      return dice.chance(0.5) ? `${pair}&${again}` : `${again}&${pair}`;
    }),
  'query gone': (it, dice) => queryChanged(it, dice, () => ''),
  'digit of the query': (it, dice) => queryChanged(it, dice, (pair) => digitMoved(pair, dice)),
  'much query': (it) => ({ ...it, rawQuery: `${it.rawQuery}&${'a=b&'.repeat(2000)}__proto__=1` }),
  'other method': (it, dice) => ({
    ...it,
    method: one(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'POST', 'get'], dice),
  }),
  'other path': (it, dice) => ({
    ...it,
    path: it.path.replace(
      /[^/]+$/,
      one(['__proto__', 'constructor', 'nobody', '', '..', '%2e%2e', 'main/x'], dice),
    ),
  }),
};

/** A mark that no sample has, put where a name of a prototype has to stand: an object cannot hold it as its own. */
const MARK = '\u241bproto\u241b';

type Holder = { [name: string]: unknown } | unknown[];
const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** Every place of a value, as whom it is in and under which name. */
function placesOf(value: unknown): { within: Holder; name: string }[] {
  if (!isHolder(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [{ within: value, name }, ...placesOf(inner)]);
}

const shapes: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => [],
  () => ({}),
  () => [[[[]]]],
  () => -1,
  () => 0.1,
  () => 1e21,
  () => 2 ** 53,
  () => Array.from({ length: 600 }, (_, i) => i),
  () => Array.from({ length: 40 }, () => ({ id: 'x', value: [null] })),
  () => ({ constructor: { prototype: { polluted: true } }, [MARK]: { polluted: true } }),
  () => ({ id: { id: { id: 'x' } } }),
];

function anyValue(dice: Dice): unknown {
  return dice.chance(0.5) ? one(nasty, dice) : one(shapes, dice)();
}

/** JSON, or JSON in the form in which some vendors hide it in a string. */
function hidden(text: string): { value: unknown; again: (value: unknown) => string } | undefined {
  for (const [read, write] of [
    [(it: string) => it, (it: string) => it],
    [(it: string) => decodeURIComponent(it), encodeURIComponent],
  ] as const)
    try {
      const value: unknown = JSON.parse(read(text));
      if (isHolder(value)) return { value, again: (it) => write(JSON.stringify(it).toWellFormed()) };
    } catch {}
  return undefined;
}

function changedWithin(root: unknown, dice: Dice): unknown {
  const places = placesOf(root);
  if (places.length === 0) return anyValue(dice);
  const { within, name } = one(places, dice);
  const put = (value: unknown) => {
    Reflect.set(within, name, value);
  };
  const value: unknown = Reflect.get(within, name);
  const inside = typeof value === 'string' ? hidden(value) : undefined;
  if (inside && dice.chance(0.8)) {
    put(inside.again(changedWithin(inside.value, dice)));
    return root;
  }
  const ways: readonly (() => void)[] = [
    () => put(anyValue(dice)),
    () => put(anyValue(dice)),
    () => put([value, value]),
    () => put({ [one(['id', 'value', MARK, 'constructor'], dice)]: value }),
    () => put(typeof value === 'string' ? textChanged(value, dice) : JSON.stringify(value)),
    () => put(typeof value === 'string' ? Number(value) : value),
    () => {
      Reflect.deleteProperty(within, name);
    },
    () => {
      Reflect.deleteProperty(within, name);
      Reflect.set(within, one([MARK, 'constructor', 'toString', name.toUpperCase()], dice), value);
    },
    () => {
      const from = one(places, dice);
      put(structuredClone(Reflect.get(from.within, from.name)));
    },
  ];
  one(ways, dice)();
  return root;
}

const unmarked = (text: string) =>
  text.replaceAll(MARK, '__proto__').replaceAll(encodeURIComponent(MARK), '__proto__');

const elementsOf = (xml: string) => [...xml.matchAll(/<(\w+)>((?:<!\[CDATA\[.*?\]\]>)|[^<]*)<\/\1>/gs)];

function elementChanged(xml: string, [whole, name = '', inner = '']: RegExpExecArray, dice: Dice): string {
  const value = one(nasty, dice);
  const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const ways: readonly string[] = [
    whole + whole,
    `<${name}>${escaped}</${name}>`,
    `<${name}><![CDATA[${value}]]></${name}>`,
    `<${name}>${value}</${name}>`,
    `<__proto__>${inner}</__proto__>`,
    `<constructor>${inner}</constructor>`,
    `<${name}><${name}>${inner}</${name}></${name}>`,
    `<${name} a="b">${inner}</${name}>`,
    `<${name}>&unknown;&#0;</${name}>`,
    `<!-- ${inner} --><?php ?>`,
    `<List>${whole.repeat(600)}</List>`,
    `text${whole}`,
  ];
  return xml.replace(whole, () => one(ways, dice));
}

function xmlChanged(xml: string, dice: Dice): string {
  const elements = elementsOf(xml);
  return elements.length === 0 ? textChanged(xml, dice) : elementChanged(xml, one(elements, dice), dice);
}

/** The message again and again, each time with one field gone, empty, or of another shape; what is hidden in a string too. */
export function eachFieldBroken(message: string, dice: Dice): string[] {
  if (/^\s*</.test(message))
    return elementsOf(message).flatMap((element) => [
      message.replace(element[0], ''),
      message.replace(element[0], `<${element[1]}></${element[1]}>`),
      elementChanged(message, element, dice),
    ]);
  const outer = hidden(message);
  if (!outer) return [];
  return placesOf(outer.value).flatMap(({ within, name }) => {
    const value: unknown = Reflect.get(within, name);
    const broken = (change: () => void) => {
      change();
      const text = JSON.stringify(outer.value);
      Reflect.deleteProperty(within, name);
      Reflect.set(within, name, value);
      return unmarked(text);
    };
    const put = (it: unknown) => broken(() => Reflect.set(within, name, it));
    const inside = typeof value === 'string' ? hidden(value) : undefined;
    const inner = inside
      ? eachFieldBroken(JSON.stringify(inside.value), dice).map((it) => put(inside.again(JSON.parse(it))))
      : [];
    return [broken(() => Reflect.deleteProperty(within, name)), put(''), put(anyValue(dice)), ...inner];
  });
}
/** What a vendor might say that has gone wrong: one to three changes, of values or of the text. */
export function messageChanged(message: string, dice: Dice): string {
  let text = message;
  for (let i = dice.below(3); i >= 0; i--) {
    if (dice.chance(0.1)) text = textChanged(text, dice);
    else if (/^\s*</.test(text)) text = xmlChanged(text, dice);
    else {
      const inside = hidden(text);
      text = inside ? JSON.stringify(changedWithin(inside.value, dice)) : textChanged(text, dice);
    }
  }
  return unmarked(text);
}
