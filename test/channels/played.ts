import type { SentRequest } from '../../lib/channels/sign.ts';
import { eventId } from '../../lib/events/id.ts';
import type { BrandInput } from '../../lib/platform/brand.ts';
import { RejectedError } from '../../lib/platform/errors.ts';
import { aBrand, aCapture, NOW, type RawRequest } from './captured.ts';
import type { Said, Vendor } from './vendors/vendor.ts';

type Accounts = NonNullable<BrandInput['channels']>[string];

export interface Over {
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly accounts?: Accounts;
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

type Facts = ReturnType<typeof aCapture>['facts'];

/** Why requests were refused, and what else was told. */
export const reasons = (facts: Facts) => facts.map((fact) => ('reason' in fact ? fact.reason : fact.what));

/** The answer to one request that must not be taken, and why. */
export async function refusal(
  { send, facts, bodies }: Pick<ReturnType<typeof aCapture>, 'send' | 'facts' | 'bodies'>,
  request: SentRequest,
) {
  const { statusCode } = await send(request);
  if (bodies.length > 0) throw new Error('what ought to be refused went to the queue');
  return { statusCode, reason: reasons(facts).join() };
}

/** With what a piece of work is refused. */
export function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RejectedError) return `${error.status} ${error.reason}`;
    throw error;
  }
  return 'opened';
}

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
