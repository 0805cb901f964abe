import { createHash } from 'node:crypto';
import { z } from 'zod';
import { FaultError } from '../events/fault.ts';
import { HOUR } from '../platform/clock.ts';
import { type Account, MisconfiguredError } from './channel.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { digestOfText } from './digest.ts';
import { type Fetched, fetcher, type Surroundings } from './fetcher.ts';
import type { Hint } from './hint.ts';
import { isRecord } from './json.ts';
import { openedWith, sealedWith } from './sealed.ts';
import { BusyError, callVendor, heldToken, refusedBy } from './vendor-call.ts';
import { type Secret, type Settings, xiaohongshuSpec } from './xiaohongshu.ts';
import { ORDER } from './xiaohongshu-fetched.ts';

type Seller = Account<Settings, Secret>;

const REFRESH = 'oauth.refreshToken';

/** A push may be ahead of what Xiaohongshu answers: so long it is asked again. */
const SETTLES_MS = HOUR;

/**
 * Asks Xiaohongshu for paid orders and finished refunds. A push is a hint that anybody may have written who saw another
 * one: what is believed is the answer.
 * Source: open.xiaohongshu.com, as open SDKs call it. Never tried against a live seller.
 */
export const xiaohongshuFetcher = fetcher<Settings, Secret>({ ...xiaohongshuSpec, ask });

async function ask({ what, of, at = 0 }: Hint, account: Seller, around: Surroundings): Promise<Fetched> {
  const data = await called(what, what === ORDER ? of : { returnsId: of.returnsId ?? '' }, account, around);
  const found = what === ORDER ? data : isRecord(data.afterSaleInfo) ? data.afterSaleInfo : data;
  if (isSettled(what, found)) return { messages: [found] };
  if (around.now() < at + SETTLES_MS) throw new Error(`${what} does not know of it yet`);
  throw new FaultError(
    'not_confirmed',
    `${what} does not confirm what a push told of: it may be forged; look at the order in the shop, then replay it`,
  );
}

/** Whether the money has moved. */
const isSettled = (what: string, found: Fields): boolean =>
  Number((what === ORDER ? textOf(found, 'paidTime') : textOf(found, 'refundTime')) ?? 0) > 0 &&
  (what === ORDER || Number(textOf(found, 'refundAmountYuan') ?? 0) > 0);

/** A call with an access token; one that is no good any more is renewed once. */
async function called(
  method: string,
  fields: Readonly<Record<string, string>>,
  account: Seller,
  around: Surroundings,
): Promise<Fields> {
  for (let forgotten: string | undefined; ; ) {
    const accessToken = await tokenOf(account, around, forgotten);
    const answer = await call(method, { ...fields, accessToken }, account, around);
    if (isDone(answer)) return fieldsOf(answer, 'data');
    if (!isForgotten(answer) || forgotten !== undefined) throw failure(method, answer, account);
    around.tokens.delete(REFRESH);
    forgotten = accessToken;
  }
}

/** One call. Sign: md5 of `method?appId=…&timestamp=…&version=2.0` and the secret. */
function call(
  method: string,
  fields: Readonly<Record<string, string>>,
  { settings: { appKey, url }, secret: { appSecret } }: Seller,
  around: Surroundings,
): Promise<Fields> {
  const timestamp = String(Math.floor(around.now() / 1000));
  const body = JSON.stringify({
    ...fields,
    appId: appKey,
    method,
    timestamp,
    version: '2.0',
    sign: arkSign(method, appKey, timestamp, appSecret),
  });
  const headers = { 'content-type': 'application/json;charset=utf-8' };
  return callVendor(method, new URL(url), { method: 'POST', headers, body }, around);
}

/** The signature of a call, in lower-case hex. */
export const arkSign = (method: string, appId: string, timestamp: string, appSecret: string): string =>
  createHash('md5')
    .update(`${method}?appId=${appId}&timestamp=${timestamp}&version=2.0${appSecret}`)
    .digest('hex');

const isDone = (answer: Fields): boolean =>
  answer.success === true && (textOf(answer, 'error_code') ?? '0') === '0';
const codeOf = (answer: Fields): string => (textOf(answer, 'error_code') ?? 'none').slice(0, 64);

/** The codes are not published; what they say in words is. */
const says = (answer: Fields, words: RegExp): boolean => words.test(textOf(answer, 'error_msg') ?? '');
const isForgotten = (answer: Fields): boolean => says(answer, /token/i);

function failure(method: string, answer: Fields, { id }: Seller): Error {
  const code = codeOf(answer);
  if (code === '429' || says(answer, /limit|限流|频繁|系统/i))
    return new BusyError(`${method} was put off with code ${code}`);
  if (says(answer, /token|sign|appId/i))
    return new MisconfiguredError(
      `xiaohongshu/${id}: appKey, appSecret or refreshToken is not right, code ${code}`,
    );
  return refusedBy(
    method,
    code,
    'let the application call it in the console (接口权限) and let the seller permit it',
  );
}

const tokens = z.object({
  accessToken: z.string(),
  /** Milliseconds. */
  expiresAt: z.number(),
  refreshToken: z.string(),
});
type Tokens = z.infer<typeof tokens>;

/** What is kept: the tokens sealed, and which permission of the seller's they come from. */
const keptTokens = z.object({ sealed: z.string(), from: z.string() });

/**
 * The access token. A refresh token is good once: what it gave is kept, sealed, for all instances and for the next week.
 * A new one in the account's secret (the seller permitted again) goes before what is kept.
 */
const tokenOf = (account: Seller, around: Surroundings, forgotten?: string): Promise<string> =>
  heldToken(REFRESH, around, async () => {
    const { appSecret, refreshToken } = account.secret;
    if (refreshToken === undefined)
      throw new MisconfiguredError(
        `the secret of xiaohongshu/${account.id} has no refreshToken, which asking needs`,
      );
    const from = digestOfText(refreshToken);
    const { value, version } = await around.kept.get(REFRESH);
    const kept = value === undefined ? undefined : keptTokens.parse(value);
    const text = kept?.from === from ? openedWith(appSecret, kept.sealed) : undefined;
    const held = text === undefined ? undefined : tokens.parse(JSON.parse(text));
    if (held && held.accessToken !== forgotten && held.expiresAt > around.now() + HOUR) return tokenIn(held);
    const next = await renewed(held?.refreshToken ?? refreshToken, account, around);
    await around.kept.put(REFRESH, { sealed: sealedWith(appSecret, JSON.stringify(next)), from }, version);
    return tokenIn(next);
  });

const tokenIn = ({ accessToken, expiresAt }: Tokens) => ({ value: accessToken, expiresAt });

async function renewed(refreshToken: string, account: Seller, around: Surroundings): Promise<Tokens> {
  const answer = await call(REFRESH, { refreshToken }, account, around);
  const data = fieldsOf(answer, 'data');
  const accessToken = textOf(data, 'accessToken');
  if (isDone(answer) && accessToken)
    return {
      accessToken,
      expiresAt: Number(textOf(data, 'accessTokenExpiresAt') ?? around.now() + 24 * HOUR),
      refreshToken: textOf(data, 'refreshToken') ?? refreshToken,
    };
  const error = failure(REFRESH, answer, account);
  if (!(error instanceof FaultError)) throw error;
  throw new MisconfiguredError(
    `xiaohongshu/${account.id}: the refreshToken is not taken, code ${codeOf(answer)}: let the seller permit again`,
  );
}
