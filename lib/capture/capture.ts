import { refusalOf, tallyOf } from '../arrivals/tally.ts';
import { MisconfiguredError, type Received } from '../channels/channel.ts';
import { channelNamed } from '../channels/registry.ts';
import type { SignedOnce, Source, Tally } from '../events/event.ts';
import type { Brand } from '../platform/brand.ts';
import type { Clock } from '../platform/clock.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, refusal } from '../platform/http.ts';
import { logError } from '../platform/log.ts';
import type { Queue } from '../platform/queue.ts';
import type { Secrets } from '../platform/secrets.ts';
import { MESSAGE_BYTES } from '../platform/sqs.ts';
import { type Addressee, addresseeOf } from './account.ts';
import { chunks } from './chunks.ts';
import { sendHints } from './hints.ts';
import { type Nonces, signedOnce } from './nonces.ts';
import { type Stop, stopsAt } from './routes.ts';

export interface CaptureDeps {
  readonly brand: Brand;
  readonly secrets: Secrets;
  readonly queue: Queue;
  /** Where goes what a vendor announces and has to be asked for; brands that ask nobody have none. */
  readonly hints?: Queue | undefined;
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

/**
 * One request of a sender, from raw bytes to the queue: find the account, check, open, make events of it, queue them,
 * answer. The answer is given when everything (what is only announced too) is durably queued and never before, so that what was answered is
 * never lost; what cannot become an event travels beside the others as a fault.
 *
 * Whoever is not who they claim is answered 401 with one and the same words, whatever was wrong; a vendor that wants
 * another form of refusal gets it (`refuse`). What is refused after its account was found is counted there.
 */
export async function capture(request: HttpRequest, deps: CaptureDeps): Promise<HttpReply> {
  const stops = stopsOf(request);
  const channel = stops[0]?.channel;
  if (!channel) return refusal(404, 'unknown_account', 'no such channel or account');
  const { name, headers } = channel;
  if (request.method === 'OPTIONS') return { status: 204, headers };
  try {
    const reply = await answer(request, stops, deps);
    return { ...reply, headers: { ...headers, ...reply.headers } };
  } catch (error) {
    if (error instanceof MisconfiguredError)
      deps.tell({ what: 'misconfigured', channel: name, message: error.message });
    if (!(error instanceof RejectedError)) throw error;
    deps.tell({ what: 'refused', channel: name, reason: error.reason, status: error.status });
    const reply = channel.refuse(
      error.status === 401
        ? refusal(401, 'unauthorized', 'not signed by who it claims to be from, or not now')
        : refusal(error.status, error.reason, error.message),
    );
    return { ...reply, headers: { ...headers, ...reply.headers } };
  }
}

/** The channel that the URL names, or those that have this path of their own. */
function stopsOf({ path, params }: HttpRequest): Stop[] {
  if (params.channel === undefined) return stopsAt(path);
  const channel = channelNamed(params.channel);
  return channel ? [{ channel, path, methods: ['POST'], params }] : [];
}

async function answer(request: HttpRequest, stops: readonly Stop[], deps: CaptureDeps): Promise<HttpReply> {
  const most = Math.max(...stops.map(({ channel }) => channel.maxBytes));
  if (request.body.length > most)
    throw new RejectedError('too_large', `at most ${most / 1024} KB; send it in several requests`, 413);
  const addressee = await addresseeOf(request, stops, deps);
  const { account, stop } = addressee;
  try {
    return await take(request, addressee, deps);
  } catch (error) {
    const reason = reasonOf(error);
    const source = { channel: stop.channel.name, account: account.id };
    if (reason !== undefined) await count(refusalOf(reason, source, deps.now()), deps.queue);
    throw error;
  }
}

/** Why an account's request was not taken; nothing where it is our own trouble of the moment. */
const reasonOf = (error: unknown): string | undefined =>
  error instanceof MisconfiguredError
    ? 'misconfigured'
    : error instanceof RejectedError
      ? error.reason
      : undefined;

/** What an account is sent: checked, opened, queued. @throws RejectedError */
async function take(
  request: HttpRequest,
  { account, stop: { channel, methods } }: Addressee,
  deps: CaptureDeps,
): Promise<HttpReply> {
  const now = deps.now();
  const handshake = channel.handshake(request, account, now);
  if (handshake) return handshake;
  if (!methods.some((method) => method === request.method))
    throw new RejectedError('bad_method', `events are sent by ${methods.join(' or ')}`, 405);
  const received = channel.receive(request, account, now);
  const source = { channel: channel.name, account: account.id };
  const nonce = received.nonce === undefined ? undefined : signedOnce(source, received.nonce, request.body);
  const isFirst = !nonce || deps.nonces.take(nonce, now);
  if (!isFirst && !received.sharesNonce)
    throw new RejectedError('nonce_replayed', 'this query was used before', 401);
  try {
    await enqueue(received, { source, nonce, now }, deps);
  } catch (error) {
    if (nonce && isFirst) deps.nonces.release(nonce);
    throw error;
  }
  tellOf(received, channel.name, account.id, deps);
  return received.reply;
}

async function enqueue(
  received: Received,
  {
    source,
    nonce,
    now,
  }: { readonly source: Source; readonly nonce: SignedOnce | undefined; readonly now: number },
  deps: CaptureDeps,
): Promise<void> {
  const { events, faults, hints } = received;
  if (hints.length > 0) await sendHints(hints, source, deps.hints);
  const tally = tallyOf(received, source, now);
  if (events.length + faults.length > 0)
    await deps.queue.send(chunks(events, faults, MESSAGE_BYTES, { tally, nonce }));
  else if (tally) await count(tally, deps.queue);
}

/** Lets be counted what brings nothing else. The sender is answered all the same if that fails. */
async function count(tally: Tally, queue: Queue): Promise<void> {
  try {
    await queue.send(chunks([], [], MESSAGE_BYTES, { tally }));
  } catch (error) {
    logError('counting a request', error, tally.source);
  }
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
