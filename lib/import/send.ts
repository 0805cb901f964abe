import { createHash } from 'node:crypto';
import { z } from 'zod';
import { signStandardWebhook } from '../channels/sign.ts';
import type { Clock } from '../platform/clock.ts';
import { batchBody } from './batch.ts';
import { ImportError } from './mapping.ts';

export interface Target {
  /** Where the brand's API begins. */
  readonly url: string;
  /** The brand's account of the generic channel that the events are from. */
  readonly account: string;
  /** `whsec_…` */
  readonly secret: string;
}

export interface SendDeps {
  /** The time as the brand's API has it. */
  readonly now: Clock;
  readonly sleep: (ms: number) => Promise<void>;
  readonly fetch: typeof fetch;
  /** A line for whoever waits. */
  readonly tell: (line: string) => void;
}

/** An event that the brand could not take, by its place in what was sent; it is in quarantine there. */
export interface SentFault {
  readonly index: number;
  readonly reason: string;
  readonly message: string;
}

/** The brand cannot be reached or is busy, and was asked often enough: start again later, where it ended. */
export class NotNowError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotNowError';
  }
}

const reply = z.looseObject({
  faults: z.array(z.looseObject({ index: z.int(), reason: z.string(), message: z.string() })),
});
const refusal = z.looseObject({
  error: z.union([z.string(), z.looseObject({ message: z.string().optional() })]),
});

/** 1, 2, 4 … seconds, at most 30: 8 tries take two minutes. */
const TRIES = 8;
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
const PATIENCE_MS = 30_000;

/**
 * Sends events to the generic channel, signed, until they are answered with 200: what that means is that they are
 * durably queued. 5xx, 429 and a broken line are tried again after 1, 2, 4 … seconds or as `Retry-After` says; since
 * every event carries its own id, what was sent twice happened once. What is too large is halved.
 *
 * @returns those that were not taken, by index
 * @throws NotNowError after 8 tries; ImportError if the brand refuses the sender (secret, account, address)
 */
export function sender({ url, account, secret }: Target, deps: SendDeps) {
  const address = new URL(
    `webhooks/generic/${encodeURIComponent(account)}`,
    url.endsWith('/') ? url : `${url}/`,
  );

  async function ask(body: string): Promise<Response | string> {
    const id = `imp_${createHash('sha256').update(body).digest('base64url').slice(0, 22)}`;
    try {
      return await deps.fetch(address, {
        method: 'POST',
        headers: signStandardWebhook(body, secret, id, deps.now()),
        body,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return cause instanceof Error ? cause.message || cause.name : String(cause);
    }
  }

  async function send(events: readonly string[]): Promise<SentFault[]> {
    const body = batchBody(events);
    let last = '';
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const answer = await ask(body);
      let wait = Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);
      if (typeof answer === 'string') last = answer;
      else {
        const { status } = answer;
        if (status === 200) return faultsOf(await answer.text(), address);
        if (status === 413) return split(events, await answer.text());
        last = `${status} ${wordsOf(await answer.text())}`;
        if (status < 500 && status !== 429 && status !== 408)
          throw new ImportError(`${address} answers ${last}${hint(status)}`);
        const asked = Number(answer.headers.get('retry-after'));
        if (asked > 0) wait = Math.min(asked * 1000, 10 * LONGEST_MS);
      }
      if (attempt === TRIES - 1) break;
      deps.tell(`${address}: ${last}; again in ${Math.round(wait / 1000)} s`);
      await deps.sleep(wait);
    }
    throw new NotNowError(`${address}: ${last}, after ${TRIES} tries`);
  }

  async function split(events: readonly string[], words: string): Promise<SentFault[]> {
    if (events.length <= 1)
      return events.map((_, index) => ({ index, reason: 'too_large', message: wordsOf(words) }));
    const middle = Math.ceil(events.length / 2);
    const first = await send(events.slice(0, middle));
    const second = await send(events.slice(middle));
    return [...first, ...second.map((it) => ({ ...it, index: it.index + middle }))];
  }

  return send;
}

function faultsOf(text: string, address: URL): SentFault[] {
  const parsed = reply.safeParse(jsonOf(text));
  if (!parsed.success)
    throw new ImportError(`${address} answers 200 in words that are not Siyu's: is the address right?`);
  return parsed.data.faults;
}

const hint = (status: number): string =>
  status === 401
    ? ': is it the secret of this account, and are both clocks right to five minutes?'
    : status === 404
      ? ': has the brand this account of the generic channel?'
      : '';

function wordsOf(text: string): string {
  const parsed = refusal.safeParse(jsonOf(text));
  if (!parsed.success) return text.slice(0, 200);
  const { error } = parsed.data;
  return typeof error === 'string' ? error : (error.message ?? text.slice(0, 200));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Sends no faster than `rate` events a second on the average since the first: a brand that also serves its customers
 * should not have a whole history queued before them.
 */
export function paced(
  send: (events: readonly string[]) => Promise<SentFault[]>,
  rate: number,
  { now, sleep }: Pick<SendDeps, 'now' | 'sleep'>,
): typeof send {
  let from: number | undefined;
  let sent = 0;
  return async (events) => {
    from ??= now();
    const ahead = from + (sent / rate) * 1000 - now();
    if (ahead > 0) await sleep(ahead);
    sent += events.length;
    return send(events);
  };
}
