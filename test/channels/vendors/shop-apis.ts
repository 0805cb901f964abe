// Doudian and Xiaohongshu as they answer about orders: signatures and tokens are checked as they document them.
import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import { type Api, type ApiCall, anApi } from './api.ts';

export interface ShopApi extends Api {
  /** Orders and after-sales by number. */
  readonly orders: Map<string, object>;
  readonly returns: Map<string, object>;
  /** The token that is good now, and how many were made. */
  token: string;
  made: number;
  /** What a call is answered with instead. */
  refuses?: ((method: string) => object | undefined) | undefined;
}

const aShop = async (answer: (call: ApiCall, shop: ShopApi) => object): Promise<ShopApi> => {
  const api = await anApi((call) => answer(call, shop));
  const shop: ShopApi = Object.assign(api, { orders: new Map(), returns: new Map(), token: '', made: 0 });
  return shop;
};

const digest = (name: 'sha256', key: string, text: string) =>
  createHmac(name, key).update(text).digest('hex');

/** op.jinritemai.com: sign over app_key, method, param_json, timestamp and v, between two secrets. */
export const aDoudianApi = (appKey: string, appSecret: string, shopId: string): Promise<ShopApi> =>
  aShop(({ query, body }, shop) => {
    const { method = '', timestamp = '', access_token } = query;
    const signed = `${appSecret}app_key${appKey}method${method}param_json${body}timestamp${timestamp}v2${appSecret}`;
    if (query.sign !== digest('sha256', appSecret, signed) || query.app_key !== appKey)
      return { code: 40003, sub_code: 'isv.signature-invalid' };
    const refused = shop.refuses?.(method);
    if (refused) return refused;
    const params = z.record(z.string(), z.string()).parse(JSON.parse(body));
    if (method === 'token.create') {
      if (params.grant_type !== 'authorization_self' || params.shop_id !== shopId)
        return { code: 50001, sub_code: 'dop.token-generate-failed:no-permission' };
      shop.token = shop.token || `doudian-token-${++shop.made}`;
      return { code: 10_000, data: { access_token: shop.token, expires_in: 604_800 } };
    }
    if (access_token !== shop.token || shop.token === '')
      return { code: 40003, sub_code: 'isv.access-token-expired' };
    const order = shop.orders.get(params.shop_order_id ?? '');
    return order
      ? { code: 10_000, data: { shop_order_detail: order } }
      : { code: 50002, sub_code: 'isv.business-failed:2100041' };
  });

const arkCall = z.looseObject({
  method: z.string(),
  appId: z.string(),
  timestamp: z.string(),
  sign: z.string(),
});

/** ark.xiaohongshu.com: sign over method, appId, timestamp and version, then the secret. A refresh token is good once. */
export const anArkApi = (appId: string, appSecret: string): Promise<ShopApi & { refresh?: string }> => {
  let refresh = 'refresh-0';
  return aShop(({ body }, shop) => {
    const { method, timestamp, sign, ...rest } = arkCall.parse(JSON.parse(body));
    const text = `${method}?appId=${appId}&timestamp=${timestamp}&version=2.0${appSecret}`;
    if (sign !== createHash('md5').update(text).digest('hex') || rest.appId !== appId)
      return { success: false, error_code: 1, error_msg: 'sign error' };
    const refused = shop.refuses?.(method);
    if (refused) return refused;
    if (method === 'oauth.refreshToken') {
      if (rest.refreshToken !== refresh)
        return { success: false, error_code: 2, error_msg: 'refreshToken invalid' };
      refresh = `refresh-${++shop.made}`;
      shop.token = `ark-token-${shop.made}`;
      const accessTokenExpiresAt = (Number(timestamp) + 604_800) * 1000;
      return ok({ accessToken: shop.token, accessTokenExpiresAt, refreshToken: refresh });
    }
    if (rest.accessToken !== shop.token || shop.token === '')
      return { success: false, error_code: 3, error_msg: 'accessToken expired' };
    if (method === 'order.getOrderDetail') return ok(shop.orders.get(String(rest.orderId)) ?? {});
    return ok({ afterSaleInfo: shop.returns.get(String(rest.returnsId)) ?? {} });
  });
};

const ok = (data: object) => ({ success: true, error_code: 0, error_msg: '', data });
