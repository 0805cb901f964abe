// Requests to a run, as a steady stream or as fast as they are answered.
import { setTimeout as wait } from 'node:timers/promises';
import type { SentRequest } from '../lib/channels/sign.ts';

/** Sends one request. @throws if it is not answered with 200 */
export async function post(
  url: string,
  { method, path, rawQuery, headers, body }: SentRequest,
): Promise<void> {
  const response = await fetch(`${url}${path}${rawQuery === '' ? '' : `?${rawQuery}`}`, {
    method,
    headers,
    body,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
}

/** Sends everything, `together` at a time. */
export async function postAll(url: string, requests: Iterable<SentRequest>, together: number): Promise<void> {
  const queue = requests[Symbol.iterator]();
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await post(url, next.value);
  };
  await Promise.all(Array.from({ length: together }, worker));
}

/**
 * Sends one request after the other at a steady rate, whether or not those before were answered; resolves when all
 * are. Where the sender itself was late the rest follows at once, so that the mean rate holds.
 *
 * @param make is called at the moment of sending
 */
export async function stream(
  url: string,
  count: number,
  perSecond: number,
  make: (index: number) => SentRequest,
): Promise<{ seconds: number }> {
  const from = performance.now();
  const sent: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const early = from + (i / perSecond) * 1000 - performance.now();
    if (early > 0) await wait(early);
    sent.push(post(url, make(i)));
  }
  await Promise.all(sent);
  return { seconds: (performance.now() - from) / 1000 };
}
