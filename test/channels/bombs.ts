import { gzipSync } from 'node:zlib';

const KB = 1024;
const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');

/** Texts that cost whoever reads them naively much more than their sender. */
export const bombs: Readonly<Record<string, string>> = {
  'deep arrays': nested(100 * KB, '[', ']'),
  'deep objects': nested(40 * KB, '{"a":', '}'),
  'deep, and never closed': '['.repeat(250 * KB),
  'just deep enough': `${nested(30, '{"a":', '}').replace(':}', ':1}')}`,
  'many nulls': `[${'null,'.repeat(40 * KB)}null]`,
  'many empty objects': `[${'{},'.repeat(60 * KB)}{}]`,
  'many names': `{${Array.from({ length: 12 * KB }, (_, i) => `"name${i}":${i}`).join(',')}}`,
  'one name many times': `{${'"a":1,'.repeat(30 * KB)}"a":1}`,
  'a long number': `{"id":${'9'.repeat(200 * KB)}}`,
  'a number out of range': '{"id":1e99999}',
  'many long numbers': `[${'12345678901234567890,'.repeat(8 * KB)}1]`,
  'many escapes': `{"a":"${'\\u0000'.repeat(40 * KB)}"}`,
  'many quotes': `{"a":"${'\\"'.repeat(100 * KB)}"}`,
  'a long word': `{"event":"${'a'.repeat(250 * KB)}"}`,
  'many blanks': `${' '.repeat(250 * KB)}x`,
  'many blanks in a word': `{"type":"${' '.repeat(200 * KB)}x"}`,
  'many percents': `data=${'%'.repeat(200 * KB)}`,
  'many ampersands': '&a='.repeat(80 * KB),
  'billion laughs': `<!DOCTYPE lolz [<!ENTITY l0 "lol">${laughs}]><xml><a>&l9;</a></xml>`,
  'entity of a file':
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>',
  'deep XML': nested(30 * KB, '<a>', '</a>'),
  'deep XML, never closed': '<a>'.repeat(80 * KB),
  'many elements': `<xml>${Array.from({ length: 8 * KB }, (_, i) => `<a${i}>1</a${i}>`).join('')}</xml>`,
  'many items': `<xml><List>${'<Item>1</Item>'.repeat(16 * KB)}</List></xml>`,
  'many attributes': `<xml ${Array.from({ length: 8 * KB }, (_, i) => `a${i}="1"`).join(' ')}/>`,
  'many entities': `<xml><a>${'&lt;'.repeat(60 * KB)}</a></xml>`,
  'CDATA never closed': `<xml><a><![CDATA[${'x'.repeat(250 * KB)}`,
};

/** Small things that unzip to large ones; and one that is cut. */
export const zipped: Readonly<Record<string, Buffer>> = {
  'a gzip bomb': gzipSync(Buffer.alloc(64 * KB * KB)),
  'a gzip bomb of JSON': gzipSync(`{"batch":[${'{},'.repeat(4 * KB * KB)}{}]}`),
  'a gzip in a gzip': gzipSync(gzipSync(Buffer.alloc(16 * KB * KB))),
  'a cut gzip': gzipSync('{"batch":[]}').subarray(0, 15),
  'only the magic': Buffer.from([0x1f, 0x8b]),
};
