import { createHmac } from 'node:crypto';
import { FaultError } from '../events/fault.ts';
import { HOUR } from '../platform/clock.ts';
import { type Account, MisconfiguredError } from './channel.ts';
import { type Fields, fieldsOf, textOf } from './context.ts';
import { doudianSpec, type Secret, type Settings } from './doudian.ts';
import { type Fetched, fetcher, type Surroundings } from './fetcher.ts';
import type { Hint } from './hint.ts';
import { BusyError, callVendor, heldToken, refusedBy } from './vendor-call.ts';

type Doudian = Account<Settings, Secret>;

const TOKEN = 'token.create';

/** A push may be ahead of what Doudian answers: so long it is asked again. */
const SETTLES_MS = HOUR;

/**
 * Asks Doudian for orders that were paid, as the shop's own application (自用型应用).
 * Source: op.jinritemai.com, guide 73/138 and api order.orderDetail, as three open SDKs call them. Never tried against a
 * live shop.
 */
export const doudianFetcher = fetcher<Settings, Secret>({ ...doudianSpec, ask });

async function ask(
  { what, of: { shop_order_id = '' }, at = 0 }: Hint,
  account: Doudian,
  around: Surroundings,
): Promise<Fetched> {
  const answer = await called(what, { shop_order_id }, account, around);
  const order = fieldsOf(answer, 'shop_order_detail');
  if ((textOf(order, 'pay_time') ?? '0') === '0') {
    if (around.now() < at + SETTLES_MS) throw new Error(`${what} does not know of the payment yet`);
    throw new FaultError(
      'not_confirmed',
      `${what} knows of no payment that a push told of: look at the order in the shop, then replay it`,
    );
  }
  return { messages: [order] };
}

/** A call with an access token; one that Doudian has forgotten is renewed once. */
async function called(
  method: string,
  params: Readonly<Record<string, string>>,
  account: Doudian,
  around: Surroundings,
): Promise<Fields> {
  for (let renewed = false; ; renewed = true) {
    const token = await tokenOf(account, around);
    const answer = await call(method, params, token, account, around);
    if (isDone(answer)) return fieldsOf(answer, 'data');
    if (!isForgotten(answer) || renewed) throw failure(method, answer, account);
    around.tokens.delete(TOKEN);
  }
}

/**
 * One call. Sign: HMAC-SHA256 of secret + each name and value of app_key, method, param_json, timestamp and v + secret,
 * where param_json is the body with its names in order.
 */
function call(
  method: string,
  params: Readonly<Record<string, string>>,
  token: string | undefined,
  { settings: { appKey, url }, secret: { appSecret } }: Doudian,
  around: Surroundings,
): Promise<Fields> {
  const body = JSON.stringify(
    Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  const timestamp = String(Math.floor(around.now() / 1000));
  const address = new URL(`/${method.replaceAll('.', '/')}`, url);
  address.search = new URLSearchParams({
    method,
    app_key: appKey,
    ...(token !== undefined && { access_token: token }),
    timestamp,
    v: '2',
    sign: doudianSign(appSecret, { app_key: appKey, method, param_json: body, timestamp, v: '2' }),
    sign_method: 'hmac-sha256',
  }).toString();
  const headers = { 'content-type': 'application/json;charset=UTF-8' };
  return callVendor(method, address, { method: 'POST', headers, body }, around);
}

/** The signature of a call, in lower-case hex. */
export function doudianSign(appSecret: string, fields: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(fields)
    .sort()
    .map((name) => `${name}${fields[name]}`);
  return createHmac('sha256', appSecret)
    .update(`${appSecret}${pairs.join('')}${appSecret}`)
    .digest('hex');
}

/** The gateway says 10000; the one before it said err_no 0. */
const isDone = (answer: Fields): boolean =>
  (textOf(answer, 'code') ?? textOf(answer, 'err_no')) === codeOfDone(answer);
const codeOfDone = (answer: Fields): string => (textOf(answer, 'code') === undefined ? '0' : '10000');

const codeOf = (answer: Fields): string => textOf(answer, 'sub_code', 'code', 'err_no') ?? 'none';

const isForgotten = (answer: Fields): boolean =>
  /^isv\.access-token|^(30005|30007)$/.test(codeOf(answer)) && codeOf(answer) !== 'isv.access-token-invalid';

function failure(method: string, answer: Fields, { id }: Doudian): Error {
  const code = codeOf(answer);
  if (/^isp\.|^dop\.system|limit|^20000$/.test(code))
    return new BusyError(`${method} was put off with code ${code.slice(0, 64)}`);
  if (/signature|access-token|app-id|app_key/.test(code))
    return new MisconfiguredError(
      `doudian/${id}: appKey, appSecret or shopId is not right, code ${code.slice(0, 64)}`,
    );
  return refusedBy(
    method,
    code,
    'let the application call it in the console (接口权限) and add our address to its IP list',
  );
}

/** The token of the shop: Doudian makes it without anybody's consent for an application of the shop's own. */
const tokenOf = (account: Doudian, around: Surroundings): Promise<string> =>
  heldToken(TOKEN, around, async () => {
    const { id, settings } = account;
    const params = { code: '', grant_type: 'authorization_self', shop_id: settings.shopId ?? '' };
    const answer = await call(TOKEN, params, undefined, account, around);
    const data = fieldsOf(answer, 'data');
    const value = textOf(data, 'access_token');
    if (isDone(answer) && value)
      return { value, expiresAt: around.now() + Number(textOf(data, 'expires_in') ?? 3600) * 1000 };
    const error = failure(TOKEN, answer, account);
    throw error instanceof FaultError
      ? new MisconfiguredError(
          `doudian/${id}: no access token, code ${codeOf(answer).slice(0, 64)}: is the shop permitted to the application?`,
        )
      : error;
  });
