// Trains the dictionary of stored rows (lib/platform/dictionary.ts) with Debian's `zstd`: node bench/dictionary.ts
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBrand } from '../infra/brands/load.ts';
import { sendersOf } from '../infra/local/demo-accounts.ts';
import { requestsOf } from '../infra/local/demo-send.ts';
import { storyOf } from '../infra/local/demo-story.ts';
import { standardTypes } from '../lib/events/standard.ts';
import { kinds } from '../lib/identity/kinds.ts';
import { HOUR } from '../lib/platform/clock.ts';
import { decompress } from '../lib/platform/compressed.ts';
import type { Item } from '../lib/platform/table.ts';
import { dice } from './dice.ts';
import { bySecond } from './life.ts';
import { openPipeline } from './pipeline.ts';

/** More than this saves little, and every function carries it. */
const BYTES = 4096;
const FROM = Date.parse('2026-08-01T00:00:00+08:00');
const FILE = new URL('../lib/platform/dictionary.ts', import.meta.url);

/** Words that any brand's rows may have, beside the names of types, properties and kinds. */
const COMMON = `
  wechat-oa wechat-miniprogram wechat-pay wecom douyin-open doudian youzan weimob xiaohongshu shopify stripe generic
  segment rudderstack posthog sensors main pos crm web server app brand e164 rfc5322 zh-CN en-US CNY USD EUR GBP
  utm_source utm_medium utm_campaign utm_content utm_term campaign source medium name content term channel page url path
  title referrer device type model locale session https http www wechat douyin xiaohongshu weibo baidu google menu feed cpc
  items quantity price total_amount discount_amount paid_amount product_id order_id iPhone Android iOS ios android mobile
  city gender level birthday message_type text is_gift is_follow link_source menu_type stage potential new active silent
  lost day firstAt firstChannel isNew orders money true false null goal key value currency refunded at firstAt repeatedAt
  touches event credits ppm gross first last linear last_non_direct u_shaped w_shaped time_decay factors excluded reason
  conversion count`;

/** The last and a middle state of each profile, each segment and each conversion of the demo brands' stories. */
async function rowsOf(name: 'demo' | 'demo-edu'): Promise<string[]> {
  const brand = loadBrand(name);
  const states = new Map<string, string[]>();
  const onPut = ({ pk, sk, s, b, body }: Item) => {
    const bytes = [s, b, body].find((it) => it instanceof Uint8Array);
    if (!(bytes instanceof Uint8Array)) return;
    const row = `${pk} ${sk}`;
    states.set(row, [...(states.get(row) ?? []), JSON.stringify(decompress(bytes))]);
  };
  const pipeline = openPipeline({ brand, onPut });
  const senders = sendersOf(brand);
  const { steps } = storyOf(brand, senders, FROM + 12 * HOUR);
  for (const { at, done } of bySecond(steps.map((step) => ({ at: step.at, step })))) {
    pipeline.at(at);
    await pipeline.events(
      await pipeline.capture(done.flatMap(({ step }) => requestsOf([step], senders, at))),
    );
    await pipeline.conversions();
  }
  return [...states.values()].flatMap((list) => [
    ...new Set([list.at(-1) ?? '', list[list.length >> 1] ?? '']),
  ]);
}

/** A text with every word that is not everybody's replaced by a random one of the same letters, the same throughout. */
function anonymous(known: ReadonlySet<string>): (text: string) => string {
  const d = dice(1);
  const any = (from: string) => from[d.whole(0, from.length - 1)] ?? from;
  const letter = (of: string) =>
    of
      .replace(/[a-z]/, any('abcdefghijklmnopqrstuvwxyz'))
      .replace(/[A-Z]/, any('ABCDEFGHIJKLMNOPQRSTUVWXYZ'))
      .replace(/[0-9]/, any('0123456789'));
  return (text) => {
    const others = new Map<string, string>();
    return text
      .replace(/[\w-]{3,}/g, (word) => {
        if (known.has(word)) return word;
        const other = others.get(word) ?? [...word].map(letter).join('');
        others.set(word, other);
        return other;
      })
      .replace(/[\u4e00-\u9fff]/g, () => String.fromCharCode(0x4e00 + d.whole(0, 2999)));
  };
}

function trained(rows: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'siyu-dictionary-'));
  try {
    for (const [i, row] of rows.entries()) writeFileSync(join(folder, String(i)), row);
    const file = join(folder, 'dictionary');
    execFileSync('zstd', ['-q', '--train', '-r', folder, '-o', file, `--maxdict=${BYTES}`]);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const words = new Set(COMMON.split(/\s+/));
for (const [type, { required }] of Object.entries(standardTypes))
  for (const word of [type, ...Object.keys(required)]) words.add(word);
for (const kind of Object.keys(kinds)) words.add(kind);
const rows = [...(await rowsOf('demo')), ...(await rowsOf('demo-edu'))].map(anonymous(words));
const dictionary = trained(rows);
const lines = dictionary.toString('base64').match(/.{1,100}/g) ?? [];
writeFileSync(
  FILE,
  `/**
 * What Zstandard knows before it has read anything: the forms of our rows, and how often which letter stands in them.
 * \`bench/dictionary.ts\` trained it on the demo brands' rows with every word of their own replaced by a random one: it
 * knows our forms and nobody's content. It belongs to the stored form: another needs another \`FORMAT\` in \`compressed.ts\`.
 */
export const DICTIONARY = Buffer.from(
  [
${lines.map((line) => `    '${line}',`).join('\n')}
  ].join(''),
  'base64',
);
`,
);
console.log(`${rows.length} rows, a dictionary of ${dictionary.length} bytes`);
