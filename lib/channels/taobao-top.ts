import { createHash } from 'node:crypto';
import type { Json } from '../events/event.ts';
import { HOUR, toIso } from '../platform/clock.ts';
import type { Outside } from './channel.ts';
import { fieldsOf, textOf } from './context.ts';
import { isRecord, readJson } from './json.ts';

/**
 * The signature of Taobao's open platform (TOP), both of calls to it and of its calls to a seller (SPI):
 * MD5(secret + each name and value, sorted by name + body + secret), in capital hex. Source: open.taobao.com, 101617.
 */
export function topSign(
  appSecret: string,
  fields: Readonly<Record<string, string>>,
  body: Buffer | string = '',
): string {
  const hash = createHash('md5').update(appSecret);
  for (const name of Object.keys(fields).sort()) hash.update(`${name}${fields[name]}`);
  return hash.update(body).update(appSecret).digest('hex').toUpperCase();
}

/** TOP's clock runs in UTC+8 and does not say so: `2025-10-09 16:53:20`. */
export const topTime = (at: number): string =>
  toIso(at + 8 * HOUR)
    .slice(0, 19)
    .replace('T', ' ');

export interface TopApp {
  /** Where TOP listens. */
  readonly url: string;
  readonly appKey: string;
  readonly appSecret: string;
}

/** How long TOP may think about one call. */
const PATIENCE_MS = 10_000;

/**
 * One call of TOP.
 *
 * @returns what stands under the method's own name in the answer
 * @throws Error when TOP is not reached, or refuses: the call may be made again. It quotes TOP's code and nothing else
 */
export async function callTop(
  method: string,
  fields: Readonly<Record<string, string>>,
  { url, appKey, appSecret }: TopApp,
  { fetch, now }: Outside,
): Promise<{ [name: string]: Json }> {
  const all = {
    ...fields,
    method,
    app_key: appKey,
    timestamp: topTime(now()),
    format: 'json',
    v: '2.0',
    sign_method: 'md5',
  };
  const reply = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ ...all, sign: topSign(appSecret, all) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!reply.ok) throw new Error(`${method} was answered ${reply.status}`);
  const answer = readJson(await reply.text()); // ids of messages are int64
  if (!isRecord(answer)) throw new Error(`${method} was answered with no object`);
  const refused = fieldsOf(answer, 'error_response');
  const name = `${method.replace(/^taobao\./, '').replaceAll('.', '_')}_response`;
  if (isRecord(answer.error_response) || !isRecord(answer[name]))
    throw new Error(
      `${method} was refused, code ${(textOf(refused, 'sub_code', 'code') ?? 'none').slice(0, 64)}`,
    );
  return fieldsOf(answer, name);
}
