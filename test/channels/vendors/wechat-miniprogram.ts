import type { Vendor } from './vendor.ts';
import { pushed } from './wechat-oa.ts';

const held = { token: 'QhMiniToken01', encodingAesKey: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq' };
const shopHeld = { token: 'QhShopToken01', encodingAesKey: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ' };

/** Each account's app: the mini program of the tea house, and its WeChat shop. */
export const apps: Readonly<Record<string, { appId: string; token: string; encodingAesKey: string }>> = {
  main: { appId: 'wxqh0000minip0001', ...held },
  shop: { appId: 'wxqh0000shop00001', ...shopHeld },
};

const unionScope = 'wechat_open:qinghe';

export const wechatMiniprogram: Vendor = {
  accounts: {
    main: { appId: 'wxqh0000minip0001', unionScope, secret: 'miniprogram' },
    shop: { appId: 'wxqh0000shop00001', unionScope, secret: 'wechat-shop' },
  },
  secrets: { miniprogram: held, 'wechat-shop': shopHeld },
  sign(said) {
    const app = apps[said.account];
    if (!app) throw new Error(`no app of the account ${said.account}`);
    return pushed(said, { channel: 'wechat-miniprogram', ...app });
  },
};
