// Scope: every receiver under fire: requests changed after they were signed, messages changed before, and bombs. Each
// change follows from FUZZ_SEED and a name, which a failure prints: the same seed fires the same again.
import { afterAll, describe, expect, test } from 'vitest';
import { channelNamed } from '../../lib/channels/registry.ts';
import { dice } from '../laws/world/random.ts';
import { bombs, xmlBombs, zipped } from './bombs.ts';
import type { RawRequest } from './captured.ts';
import { type Fired, fire, isPolluted, quoted } from './fired.ts';
import { bytesOf, eachFieldBroken, messageChanged, nasty, requestChanges } from './mutations.ts';
import { handshakes, inPlain, type Seed, seeds, senders } from './seeds.ts';
import { asThere, leastMs, YARD_MS, yardMs } from './yardstick.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20251009);
/** The most that a request may take, as on the machine that the yardstick knows. */
const CPU_MS = 20;
/** What took nearly as much when it was fired is measured again, so often before it is said to be slow. */
const RUNS = 100;
const yard = await yardMs();

const all: readonly Seed[] = [...seeds, inPlain];
const byChannel = Map.groupBy(all, ({ channel }) => channel);

/** The SDKs' dialects sign nothing: whoever has the public key may say anything. */
const isKeyed = (channel: string) => ['segment', 'rudderstack', 'posthog', 'sensors'].includes(channel);
/** Accounts with messages whose signature does not cover the body, or not all of it: their events have to say so. */
const isHalfSigned = ({ channel, account }: Seed) =>
  ['xiaohongshu', 'youzan', 'wechat-pay'].includes(channel) || account === 'plain';

/** Where the signature stands in the body: a whole other body is a request that is good by itself. */
const isSignedInside = ({ channel, about }: Seed) =>
  ['weimob', 'douyin-miniapp'].includes(channel) || about.event_type?.startsWith('v2') === true;

/** FNV-1a: a seed for the dice from words. */
function seedOf(...words: readonly unknown[]): number {
  let hash = 0x811c9dc5 ^ SEED;
  for (const code of Buffer.from(words.join('|'))) hash = Math.imul(hash ^ code, 0x01000193);
  return hash >>> 0;
}

const slow: {
  readonly what: string;
  readonly request: RawRequest;
  readonly now: number;
}[] = [];
let fired = 0;

const namesSomebody = (text: string, events: Fired['events']) =>
  events.flatMap((event) => event.identifiers).some(({ value }) => value.length >= 8 && text.includes(value));

/** What must hold of any request whatever, in words where it does not. */
async function shot(
  what: string,
  seed: Seed,
  request: RawRequest,
  clear: string,
): Promise<[Fired, string[]]> {
  fired++;
  const wrong: string[] = [];
  const outcome = await fire(request, seed.now);
  const say = (why: string) => wrong.push(`${what}: ${why} (FUZZ_SEED=${SEED})`);
  const { status, log, events, faults, cpuMs } = outcome;
  if (status < 200 || status >= 500) say(`answered ${status}: ${log}`);
  if (isPolluted()) say('a prototype was written to');
  if (status >= 400 && events.length + faults.length > 0) say('refused, and queued all the same');
  const body = request.body.toString();
  const leak = quoted(log, body, 16) ?? quoted(log, clear, 16);
  if (leak !== undefined) say(`the log quotes ${JSON.stringify(leak)}`);
  if (namesSomebody(log, events)) say('the log names somebody');
  if (asThere(cpuMs, yard) > CPU_MS) slow.push({ what, request, now: seed.now });
  return [outcome, wrong];
}

const said = ({ events, faults }: Fired) => [...events, ...faults].map((it) => JSON.stringify(it));

describe('what was changed after it was signed is refused, or says what it said before', () => {
  test.each([...byChannel.keys()])('%s', async (channel) => {
    const wrong: string[] = [];
    const own = byChannel.get(channel) ?? [];
    for (const [n, seed] of own.entries()) {
      const first = await fire(seed.request, seed.now);
      const before = new Set(said(first));
      if (namesSomebody(first.named, first.events))
        wrong.push(`${seed.name}: what was ignored names somebody`);
      for (const [name, change] of Object.entries(requestChanges)) {
        const what = `${seed.name}, ${name}`;
        const other = own[(n + 1) % own.length] ?? seed;
        const request = change(seed.request, dice(seedOf(what)), other.request);
        const [outcome, faults] = await shot(what, seed, request, seed.message);
        wrong.push(...faults);
        if (isKeyed(channel) || other.account !== seed.account) continue;
        const swapped = name === 'other body' && isSignedInside(other);
        const after = swapped ? new Set(said(await fire(other.request, seed.now))) : before;
        const told = said(outcome).filter((it) => !after.has(it));
        if (told.length === 0) continue;
        if (isHalfSigned(seed) && told.every((it) => it.includes('"verified":"sender_only"'))) continue;
        wrong.push(
          `${what}: taken, with other content: ${outcome.events.map(({ type }) => type)} (FUZZ_SEED=${SEED})`,
        );
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** Vendors that sign when it was; of the others a repetition has the keys of the first. */
const isTimed = ({ channel, about, request }: Seed) =>
  [
    'wechat-oa',
    'wechat-miniprogram',
    'wecom',
    'feishu',
    'dingtalk',
    'douyin-miniapp',
    'xiaohongshu',
    'taobao-tmc',
    'stripe',
    'generic',
  ].includes(channel) ||
  (channel === 'wechat-pay' && about.event_type?.startsWith('v2') === false && request.body !== '');

test.each([-302_000, 302_000, 86_400_000])(
  'a request %i ms from its time is refused, or has the ids of the first',
  async (ms) => {
    const wrong: string[] = [];
    const idsOf = ({ events }: Fired) => events.map(({ id }) => id);
    for (const seed of all) {
      const [outcome, faults] = await shot(
        `${seed.name}, ${ms} ms`,
        { ...seed, now: seed.now + ms },
        seed.request,
        seed.message,
      );
      wrong.push(...faults);
      const held = isTimed(seed)
        ? outcome.status >= 400
        : String(idsOf(outcome)) === String(idsOf(await fire(seed.request, seed.now)));
      if (!held) wrong.push(`${seed.name}, ${ms} ms: ${outcome.status}`);
    }
    expect(wrong).toEqual([]);
  },
);

describe('what a vendor itself says wrongly becomes events, faults or is counted', () => {
  test.each([...byChannel.keys()])('%s', async (channel) => {
    const wrong: string[] = [];
    for (const seed of byChannel.get(channel) ?? []) {
      const silent = said(await fire(seed.request, seed.now)).length === 0;
      const changed = Array.from({ length: 10 }, (_, i) =>
        messageChanged(seed.message, dice(seedOf(seed.name, i))),
      );
      const broken = eachFieldBroken(seed.message, dice(seedOf(seed.name)));
      for (const [i, message] of [...changed, ...broken].entries()) {
        const what = `${seed.name}, message ${i}`;
        const request = signed(seed, message, what);
        if (!request) continue;
        const [outcome, faults] = await shot(what, seed, request, message);
        wrong.push(...faults);
        const { status, isCounted } = outcome;
        if (status < 300 && !silent && said(outcome).length === 0 && !isCounted && !isEmpty(message))
          wrong.push(`${what}: taken, and nothing came of it: ${message.slice(0, 300)} (FUZZ_SEED=${SEED})`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** The vendor's signature on a message; none where its own signer cannot take it. */
function signed(
  { channel, account, about, now }: Seed,
  message: string,
  nonce: string,
): RawRequest | undefined {
  try {
    return senders[channel]?.sign({ account, about, now, nonce, message });
  } catch {
    return undefined;
  }
}

/** The accounts of a channel are read by the same code, but for those of another mode. */
const oneOfEachForm = (own: readonly Seed[]) =>
  new Map(own.map((seed) => [`${seed.account === 'plain'} ${seed.message.startsWith('<')}`, seed])).values();

/**
 * Nobody but the vendor can sign what is larger. Meta alone may send more, up to 3 MB: what it says is worth reading.
 */
const SIGNED_BYTES = 1536 * 1024;

/** A signed bomb, as large as its envelope leaves room for. */
function signedWithin(
  seed: Seed,
  bomb: (bytes: number) => string,
  most: number,
  nonce: string,
): RawRequest | undefined {
  const first = signed(seed, bomb(most), nonce);
  const length = first ? bytesOf(first).length : 0;
  return length <= most ? first : signed(seed, bomb(Math.floor((0.99 * most * most) / length)), nonce);
}

/** Lists of nothing, and Doudian's probe: nothing can come of them. */
const isEmpty = (message: string) =>
  /^\s*\[\s*\]\s*$|"tag":"?0"?[,}]|"(?:batch|entry|changes)"\s*:\s*\[\s*\]/.test(message);

describe('what costs much to read is refused, or kept as a fault, in little time', () => {
  test.each([...byChannel.keys()])('%s', async (channel) => {
    const wrong: string[] = [];
    const most = channelNamed(channel)?.maxBytes ?? 0;
    for (const seed of oneOfEachForm(byChannel.get(channel) ?? [])) {
      const isXml = seed.message.startsWith('<');
      for (const [name, bomb] of Object.entries({ ...bombs, ...(isXml ? xmlBombs : {}) })) {
        const text = bomb(most);
        const asSent = { ...seed.request, method: 'POST', body: text };
        const asSaid = signedWithin(seed, bomb, Math.min(most, SIGNED_BYTES), name);
        for (const [how, request] of [
          ['unsigned', asSent],
          ['signed', asSaid],
        ] as const) {
          if (!request) continue;
          const what = `${channel}/${seed.account}, ${name}, ${how}`;
          const [outcome, faults] = await shot(what, seed, request, text);
          wrong.push(...faults);
          if (outcome.events.length > 0) wrong.push(`${what}: made an event`);
        }
      }
      for (const [name, body] of Object.entries(zipped)) {
        const request = { ...seed.request, method: 'POST', body };
        const [outcome, faults] = await shot(`${channel}/${seed.account}, ${name}`, seed, request, '');
        wrong.push(...faults);
        if (outcome.events.length > 0) wrong.push(`${channel}, ${name}: made an event`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('how vendors try an address tells nobody anything, and brings no events', () => {
  test.each(handshakes.map((seed) => [seed.name, seed] as const))('%s', async (_name, seed) => {
    const wrong: string[] = [];
    const [good, first] = await shot(seed.name, seed, seed.request, '');
    expect([good.status, good.events, first]).toEqual([200, [], []]);
    const echoes = nasty.map((text): [string, RawRequest] => {
      const echo = `$1=${encodeURIComponent(text.toWellFormed())}`;
      const rawQuery = seed.request.rawQuery.replace(/(echostr|hub\.challenge)=[^&]*/, echo);
      return [`echo of ${JSON.stringify(text)}`, { ...seed.request, rawQuery }];
    });
    const changed = Object.entries(requestChanges).flatMap(([name, change]) =>
      Array.from({ length: 6 }, (_, i): [string, RawRequest] => [
        `${name} ${i}`,
        change(seed.request, dice(seedOf(seed.name, name, i)), inPlain.request),
      ]),
    );
    for (const [name, request] of [...echoes, ...changed]) {
      const what = `${seed.name}, ${name}`;
      const [outcome, faults] = await shot(what, seed, request, '');
      wrong.push(...faults);
      if (said(outcome).length > 0) wrong.push(`${what}: brought something`);
      if (outcome.status < 300 && /[<>"'\r\n\0]/.test(outcome.reply.replace(/^\{"challenge":"|"\}$/g, '')))
        wrong.push(`${what}: reflects ${outcome.reply.slice(0, 80)}`);
    }
    expect(wrong).toEqual([]);
  });
});

test(`none takes more than ${CPU_MS} ms of CPU`, { timeout: 300_000 }, async () => {
  const wrong: string[] = [];
  for (const { what, request, now } of slow) {
    const cpuMs = await leastMs(async () => (await fire(request, now)).cpuMs, CPU_MS, RUNS);
    if (cpuMs > CPU_MS) wrong.push(`${what}: ${cpuMs.toFixed(1)} ms where a yard takes ${YARD_MS}`);
  }
  expect(wrong).toEqual([]);
});

test('there were at least 5,000 of them', () => {
  expect(fired).toBeGreaterThanOrEqual(5_000);
});

afterAll(() => console.log(`${fired} requests`));
