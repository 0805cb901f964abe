import { gzipSync } from 'node:zlib';

const KB = 1024;
const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');

/** One piece after another, as many as fit. */
function filled(bytes: number, open: string, piece: string | ((i: number) => string), close: string): string {
  const room = bytes - open.length - close.length;
  if (typeof piece === 'string')
    return open + piece.repeat(Math.max(0, Math.floor(room / piece.length))) + close;
  const pieces: string[] = [];
  let length = 0;
  for (let next = piece(0); length + next.length <= room; next = piece(pieces.length)) {
    pieces.push(next);
    length += next.length;
  }
  return open + pieces.join('') + close;
}

/** A list of items, as many as fit. */
const list = (bytes: number, item: string | ((i: number) => string)): string =>
  filled(bytes, '[', typeof item === 'string' ? `${item},` : (i) => `${item(i)},`, '0]');

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** So many names of one object, with a comma after each pair. */
const pairs = (count: number, name: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `"${name(i)}":${i}`).join();

type Bombs = Readonly<Record<string, (bytes: number) => string>>;

/** Texts of so many bytes that cost whoever reads them naively much more than their sender. */
export const bombs: Bombs = {
  'deep arrays': (bytes) => nested(bytes >> 1, '[', ']'),
  'deep objects': (bytes) => nested(Math.floor(bytes / 6), '{"a":', '}'),
  'deep, and never closed': (bytes) => '['.repeat(bytes),
  'just deep enough': () => `${nested(30, '{"a":', '}').replace(':}', ':1}')}`,
  'many nulls': (bytes) => list(bytes, 'null'),
  'many values, as long as may be': (bytes) => list(bytes, '1'.padEnd(16)),
  'many words, as long as may be': (bytes) => list(bytes, (i) => `"word-${i}`.padEnd(14, 'x').concat('"')),
  'many empty objects': (bytes) => list(bytes, '{}'),
  'many objects, as long as may be': (bytes) => list(bytes, '{}'.padEnd(33)),
  'many lists in lists': (bytes) => list(bytes, '[[[1]]]'.padEnd(100)),
  'many names': (bytes) => filled(bytes, '{', (i) => `"name${i}":${i},`, '"a":1}'),
  'many names, in many objects': (bytes) => list(bytes, (i) => `{"a${i}":1,"b${i}":2}`.padEnd(40)),
  'many names, in long objects': (bytes) => list(bytes, (i) => `{${pairs(1_990, (j) => `x${i}_${j}`)}}`),
  'many numbers for names': (bytes) => list(bytes, `{${pairs(1_990, (i) => String(i * 65_537))}}`),
  'one name many times': (bytes) => filled(bytes, '{', '"a":1,', '"a":1}'),
  'many prototypes': (bytes) => list(bytes, '{"__proto__":1}'.padEnd(33)),
  'many near a prototype': (bytes) => list(bytes, '{"a__proto__":{}}'.padEnd(67)),
  'a long number': (bytes) => filled(bytes, '{"id":', '9', '}'),
  'a number out of range': () => '{"id":1e99999}',
  'many long numbers': (bytes) => list(bytes, '12345678901234567890'),
  'many long numbers, far apart': (bytes) => list(bytes, '12345678901234567890'.padEnd(130)),
  'many powers': (bytes) => list(bytes, '0.12345678901234567e-5'),
  'many high powers': (bytes) => list(bytes, '1e-300'.padEnd(16)),
  'many escapes': (bytes) => filled(bytes, '{"a":"', '\\u0000', '"}'),
  'many quotes': (bytes) => filled(bytes, '{"a":"', '\\"', '"}'),
  'a long word': (bytes) => filled(bytes, '{"event":"', 'a', '"}'),
  'many blanks': (bytes) => `${' '.repeat(bytes - 1)}x`,
  'many blanks, and a list': (bytes) => `${' '.repeat(bytes - 2)}[]`,
  'many blanks in a word': (bytes) => filled(bytes, '{"type":"', ' ', 'x"}'),
  'many events of nothing': (bytes) => filled(bytes, '{"batch":[', '{},', '{}]}'),
  'many percents': (bytes) => filled(bytes, 'data=', '%', ''),
  'many percents in pairs': (bytes) => filled(bytes, 'data=', '%25', ''),
  'many ampersands': (bytes) => filled(bytes, '', '&a=', ''),
  'many ampersands, and then something': (bytes) => filled(bytes, '', '&a=', '&data=e30='),
  'base64 of many values': (bytes) => `data=${encodeURIComponent(base64(list(bytes * 0.7, '1'.padEnd(16))))}`,
  'a check sum of much': (bytes) => filled(bytes, 'crc=1&data=', 'A', ''),
  'no text at all': (bytes) => filled(bytes, '', (i) => Math.sin(i).toString(36).slice(2), ''),
  'a list of no text at all': (bytes) => filled(bytes, '["', (i) => Math.sin(i).toString(36).slice(2), '"]'),
};

/** The same for those who read XML. */
export const xmlBombs: Bombs = {
  'billion laughs': () => `<!DOCTYPE lolz [<!ENTITY l0 "lol">${laughs}]><xml><a>&l9;</a></xml>`,
  'entity of a file': () =>
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>',
  'deep XML': (bytes) => nested(Math.floor(bytes / 7), '<a>', '</a>'),
  'deep XML, never closed': (bytes) => filled(bytes, '', '<a>', ''),
  'many elements': (bytes) => filled(bytes, '<xml>', (i) => `<a${i}>1</a${i}>`, '</xml>'),
  'many items': (bytes) => filled(bytes, '<xml><List>', '<Item>1</Item>', '</List></xml>'),
  'many attributes': (bytes) => filled(bytes, '<xml ', (i) => ` a${i}="1"`, '/>'),
  'many entities': (bytes) => filled(bytes, '<xml><a>', '&lt;', '</a></xml>'),
  'many comments': (bytes) => filled(bytes, '<xml><a>', '<!---->', '</a></xml>'),
  'a long element': (bytes) => filled(bytes, '<xml><a>', 'x', '</a></xml>'),
  'CDATA never closed': (bytes) => filled(bytes, '<xml><a><![CDATA[', 'x', ''),
};

/** Small things that unzip to large ones; and one that is cut. */
export const zipped: Readonly<Record<string, Buffer>> = {
  'a gzip bomb': gzipSync(Buffer.alloc(64 * KB * KB)),
  'a gzip bomb of JSON': gzipSync(`{"batch":[${'{},'.repeat(4 * KB * KB)}{}]}`),
  'a gzip that is just small enough': gzipSync(bombs['many blanks']?.(2 * KB * KB) ?? ''),
  'a gzip of what is not JSON': gzipSync(bombs['no text at all']?.(2 * KB * KB) ?? ''),
  'a gzip in a gzip': gzipSync(gzipSync(Buffer.alloc(16 * KB * KB))),
  'a cut gzip': gzipSync('{"batch":[]}').subarray(0, 15),
  'only the magic': Buffer.from([0x1f, 0x8b]),
};
