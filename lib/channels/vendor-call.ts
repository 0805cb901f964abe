import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { MINUTE } from '../platform/clock.ts';
import type { Outside } from './channel.ts';
import type { Surroundings } from './fetcher.ts';
import { isRecord, readJson } from './json.ts';

/** How long a vendor may think about one call. */
const PATIENCE_MS = 8_000;

/** A token is renewed so long before the vendor forgets it. */
const MARGIN_MS = 5 * MINUTE;

/** The vendor is away, or asks for patience: nobody of this account asks it for a while. */
export class BusyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BusyError';
  }
}

/** Where a vendor's API listens; another address for a relay of the brand's own. */
export const vendorUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => /^https:|^http:\/\/(127\.0\.0\.1|localhost)(:|\/|$)/.test(url), {
    error: 'an https address',
  });

/**
 * One call of a vendor. Names are quoted in errors and addresses never: they hold tokens.
 *
 * @param name the vendor's name of the call
 * @throws BusyError when there is no answer, none of HTTP 2xx, or no JSON object
 */
export async function callVendor(
  name: string,
  url: URL,
  init: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  { fetch }: Pick<Outside, 'fetch'>,
): Promise<{ [name: string]: Json }> {
  const reply = await answered(name, () => fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) }));
  const text = await answered(name, () => reply.text());
  if (!reply.ok) throw new BusyError(`${name} was answered ${reply.status}`);
  const answer = await answered(name, async () => readJson(text)); // ids are beyond 2^53
  if (!isRecord(answer)) throw new BusyError(`${name} was answered with no object`);
  return answer;
}

async function answered<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new BusyError(`${name} was not answered: ${error instanceof Error ? error.name : 'unknown'}`);
  }
}

/** What the vendor will not answer as things stand. @param todo what a person has to do before it is replayed */
export const refusedBy = (name: string, code: string, todo: string): FaultError =>
  new FaultError(
    'vendor_refused',
    `${name} was refused with code ${code.slice(0, 64)}: ${todo}, then replay it`,
  );

/** The access token that is held, or a new one; held in memory until shortly before it ends. */
export async function heldToken(
  name: string,
  { tokens, now }: Surroundings,
  renew: () => Promise<{ readonly value: string; readonly expiresAt: number }>,
): Promise<string> {
  const held = tokens.get(name);
  if (held && held.until > now()) return held.value;
  const { value, expiresAt } = await renew();
  tokens.set(name, { value, until: expiresAt - MARGIN_MS });
  return value;
}
