import { dingtalkVendor } from './dingtalk.ts';
import { doudian } from './doudian.ts';
import { douyinMiniapp } from './douyin-miniapp.ts';
import { douyinOpen } from './douyin-open.ts';
import { feishuVendor } from './feishu.ts';
import { metaVendor } from './meta.ts';
import { posthog } from './posthog.ts';
import { rudderstack } from './rudderstack.ts';
import { sensors } from './sensors.ts';
import { shopifyVendor } from './shopify.ts';
import { stripeVendor } from './stripe.ts';
import { taobaoTmc } from './taobao-tmc.ts';
import type { Vendor } from './vendor.ts';
import { wechatMiniprogram } from './wechat-miniprogram.ts';
import { wechatOa } from './wechat-oa.ts';
import { wechatPayVendor } from './wechat-pay.ts';
import { wecomVendor } from './wecom.ts';
import { weimobVendor } from './weimob.ts';
import { xiaohongshu } from './xiaohongshu.ts';
import { youzanVendor } from './youzan.ts';

/** Every vendor that the tests can play, by the name of its channel. */
export const vendors: Readonly<Record<string, Vendor>> = {
  'wechat-oa': wechatOa,
  'wechat-miniprogram': wechatMiniprogram,
  'wechat-pay': wechatPayVendor,
  wecom: wecomVendor,
  stripe: stripeVendor,
  meta: metaVendor,
  feishu: feishuVendor,
  dingtalk: dingtalkVendor,
  'douyin-open': douyinOpen,
  'douyin-miniapp': douyinMiniapp,
  doudian,
  xiaohongshu,
  'taobao-tmc': taobaoTmc,
  youzan: youzanVendor,
  weimob: weimobVendor,
  shopify: shopifyVendor,
  rudderstack,
  posthog,
  sensors,
};
