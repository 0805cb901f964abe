import { z } from 'zod';
import type { SentRequest } from '../../lib/channels/sign.ts';
import { eventId } from '../../lib/events/id.ts';
import { aBrand, aCapture, hasShared, NOW, type RawRequest, sharedText } from './captured.ts';
import type { Said, Vendor } from './vendors/vendor.ts';

interface Over {
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly accounts?: Vendor['accounts'];
  readonly now?: number;
}

/** A brand with the accounts of one vendor, and the vendor that sends to it. */
export function aPlayed(channel: string, vendor: Vendor, over: Over = {}) {
  const now = over.now ?? NOW;
  const held = { ...vendor.secrets, ...over.secrets };
  const captured = aCapture({
    now,
    brand: aBrand({ channels: { [channel]: over.accounts ?? vendor.accounts } }),
    secrets: Object.fromEntries(Object.entries(held).map(([name, it]) => [`siyu/qinghe/${name}`, it])),
  });
  const sign = (message: string, said: Partial<Said> = {}): SentRequest =>
    vendor.sign({ account: 'main', about: {}, nonce: 'n', now, ...said, message });
  const say = (message: string, said: Partial<Said> = {}) => captured.send(sign(message, said));
  const refused = () => captured.facts.flatMap((fact) => (fact.what === 'refused' ? [fact.reason] : []));
  const ignored = () => captured.facts.flatMap((fact) => (fact.what === 'ignored' ? [fact.name] : []));
  return { ...captured, sign, say, refused, ignored };
}

/** One request after another with one thing about it changed; none of them may be taken. */
export function tampered(request: SentRequest, changes: Readonly<Record<string, Partial<RawRequest>>>) {
  return Object.entries(changes).map(([name, change]) => ({ name, request: { ...request, ...change } }));
}

/** The body with one bit of its middle changed. */
export function oneBit(body: string): Buffer {
  const bytes = Buffer.from(body);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  return bytes;
}

const vectorFile = z.object({
  vectors: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      inputs: z.record(z.string(), z.unknown()),
      expected: z.record(z.string(), z.unknown()),
    }),
  ),
});

/** The published vectors of one file, of one kind; none where they are not here. */
export const vectorsOf = (file: string, kind: string) =>
  hasShared
    ? vectorFile
        .parse(JSON.parse(sharedText(`vectors/${file}.json`)))
        .vectors.filter((it) => it.kind === kind)
    : [];

const sample = z.object({
  file: z.string(),
  channel: z.string(),
  canonical: z.array(z.string()),
  identities: z.array(z.object({ kind: z.string(), scope: z.string(), value: z.string() })),
  dedupe_parts: z.array(z.string()),
  occurred_at: z.string().nullable(),
});

/** What the published samples of a channel have to become. */
export const samplesOf = (channel: string) =>
  hasShared
    ? z
        .object({ samples: z.array(sample) })
        .parse(JSON.parse(sharedText('samples/manifest.json')))
        .samples.filter((it) => it.channel === channel)
    : [];

export const idOf = (channel: string, ...parts: string[]) => eventId({ channel, account: 'main' }, parts);

/** Shapes that no vendor sends, as the whole body or as part of it. */
export const hostile = [
  'null',
  '7',
  '"text"',
  '[]',
  '[[]]',
  '[null]',
  '{}',
  '[{}]',
  '{"__proto__":{"event":"authorize"}}',
  '{"event":"constructor","content":{}}',
  '{"content":"{"}',
  '',
  '{',
];
