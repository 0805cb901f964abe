import { type Channel, MisconfiguredError, type RawAccount, type Received } from '../channels/channel.ts';
import { accountsOf, channelNamed, homeOf } from '../channels/registry.ts';
import { sameSecret } from '../channels/verify.ts';
import { type Brand, secretName } from '../platform/brand.ts';
import type { Clock } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, refusal } from '../platform/http.ts';
import type { Queue } from '../platform/queue.ts';
import type { Secrets } from '../platform/secrets.ts';
import { MESSAGE_BYTES } from '../platform/sqs.ts';
import { chunks } from './chunks.ts';
import type { Nonces } from './nonces.ts';

export interface CaptureDeps {
  readonly brand: Brand;
  readonly secrets: Secrets;
  readonly queue: Queue;
  readonly now: Clock;
  readonly nonces: Nonces;
  /** One line of facts for whoever operates this: never a body, never an identifier. */
  readonly tell: (fact: CaptureFact) => void;
}

export type CaptureFact =
  | { readonly what: 'refused'; readonly channel: string; readonly reason: string; readonly status: number }
  | { readonly what: 'misconfigured'; readonly channel: string; readonly message: string }
  | { readonly what: 'ignored'; readonly channel: string; readonly account: string; readonly name: string }
  | {
      readonly what: 'notice';
      readonly channel: string;
      readonly account: string;
      readonly type: string;
      readonly properties: Readonly<Record<string, string | number>>;
    };

/** The channel of the routes whose URL names none: the tracking protocol. */
const TRACKING = 'segment';

/**
 * One request of a sender, from raw bytes to the queue: find the account, check, open, make events of it, queue them,
 * answer. The answer is given when everything is durably queued and never before, so that what was answered is
 * never lost; what cannot become an event travels beside the others as a fault.
 *
 * Whoever is not who they claim is answered 401 with one and the same words, whatever was wrong.
 */
export async function capture(request: HttpRequest, deps: CaptureDeps): Promise<HttpReply> {
  const name = request.params.channel ?? TRACKING;
  const channel = channelNamed(name);
  if (!channel) return refusal(404, 'unknown_account', 'no such channel or account');
  const headers = channel.headers;
  if (request.method === 'OPTIONS') return { status: 204, headers };
  try {
    const reply = await answer(request, channel, deps);
    return { ...reply, headers: { ...headers, ...reply.headers } };
  } catch (error) {
    if (error instanceof MisconfiguredError)
      deps.tell({ what: 'misconfigured', channel: name, message: error.message });
    if (!(error instanceof RejectedError)) throw error;
    deps.tell({ what: 'refused', channel: name, reason: error.reason, status: error.status });
    const reply =
      error.status === 401
        ? refusal(401, 'unauthorized', 'not signed by who it claims to be from, or not now')
        : refusal(error.status, error.reason, error.message);
    return { ...reply, headers: { ...headers, ...reply.headers } };
  }
}

async function answer(request: HttpRequest, channel: Channel, deps: CaptureDeps): Promise<HttpReply> {
  const now = deps.now();
  if (request.body.length > channel.maxBytes)
    throw new RejectedError(
      'too_large',
      `at most ${channel.maxBytes / 1024} KB; send it in several requests`,
      413,
    );
  const account = await accountFor(request, channel, deps);
  const handshake = channel.handshake(request, account, now);
  if (handshake) return handshake;
  if (request.method !== 'POST') throw new RejectedError('bad_method', 'events are sent by POST', 405);
  const received = channel.receive(request, account, now);
  if (
    received.nonce !== undefined &&
    !deps.nonces.take(`${channel.name}/${account.id}/${received.nonce}`, now)
  )
    throw new RejectedError('nonce_replayed', 'this query was used before', 401);
  const bodies = chunks(received.events, received.faults, MESSAGE_BYTES);
  if (bodies.length > 0) await deps.queue.send(bodies);
  tellOf(received, channel.name, account.id, deps);
  return received.reply;
}

/** The account that the URL names, or whose key the request carries. @throws RejectedError 404, 401 */
async function accountFor(request: HttpRequest, channel: Channel, deps: CaptureDeps): Promise<RawAccount> {
  const { brand } = deps;
  const accounts = accountsOf(brand, channel.name);
  const open = async (id: string, settings: unknown): Promise<RawAccount> => ({
    id,
    settings,
    secret: await deps.secrets.get(secretName(brand, channel.secretOf(settings))),
    home: homeOf(brand),
  });
  const id = request.params.account;
  if (id !== undefined) {
    if (!Object.hasOwn(accounts, id))
      throw new RejectedError('unknown_account', 'no such channel or account', 404);
    return open(id, accounts[id]);
  }
  const key = channel.addressOf(request) ?? '';
  const all = await Promise.allSettled(
    Object.entries(accounts).map(([name, settings]) => open(name, settings)),
  );
  const opened = all.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
  // Every key is compared, whichever holds: the time taken says nothing.
  const [account] = opened.filter((it) =>
    channel
      .keysOf(it.secret)
      .map((held) => sameSecret(held, key))
      .includes(true),
  );
  if (account) return account;
  const failed = all.find((it) => it.status === 'rejected');
  if (failed) throw failed.reason; // it may have been the key of this account: the sender tries again
  throw new RejectedError('unknown_key', 'no account has this key', 401);
}

function tellOf(
  { notices, ignored }: Received,
  channel: string,
  account: string,
  { tell }: CaptureDeps,
): void {
  for (const { type, properties } of notices) tell({ what: 'notice', channel, account, type, properties });
  for (const name of ignored) tell({ what: 'ignored', channel, account, name: name.slice(0, 64) });
}
