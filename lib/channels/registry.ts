import type { Brand } from '../platform/brand.ts';
import type { Channel } from './channel.ts';
import { dingtalk } from './dingtalk.ts';
import { doudian } from './doudian.ts';
import { douyinMiniapp } from './douyin-miniapp.ts';
import { douyinOpen } from './douyin-open.ts';
import { feishu } from './feishu.ts';
import { generic } from './generic.ts';
import { meta } from './meta.ts';
import { posthog } from './posthog.ts';
import { rudderstack } from './rudderstack.ts';
import { segment } from './segment.ts';
import { sensors } from './sensors.ts';
import { shopify } from './shopify.ts';
import { stripe } from './stripe.ts';
import { taobaoTmc } from './taobao-tmc.ts';
import { wechatMiniprogram } from './wechat-miniprogram.ts';
import { wechatOa } from './wechat-oa.ts';
import { wechatPay } from './wechat-pay.ts';
import { wecom } from './wecom.ts';
import { weimob } from './weimob.ts';
import { xiaohongshu } from './xiaohongshu.ts';
import { youzan } from './youzan.ts';

/** Every channel, by the name that brands and URLs use. A new one is a value here and a file beside this one. */
export const channels = {
  'wechat-oa': wechatOa,
  'wechat-miniprogram': wechatMiniprogram,
  'wechat-pay': wechatPay,
  wecom,
  feishu,
  dingtalk,
  'douyin-open': douyinOpen,
  'douyin-miniapp': douyinMiniapp,
  doudian,
  xiaohongshu,
  'taobao-tmc': taobaoTmc,
  youzan,
  weimob,
  shopify,
  stripe,
  meta,
  generic,
  segment,
  rudderstack,
  posthog,
  sensors,
} satisfies Record<string, Channel>;

export type ChannelName = keyof typeof channels;

const table: Readonly<Record<string, Channel>> = channels;

export const channelNamed = (name: string): Channel | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** The references of all secrets that a brand's channels need, each once, in order. @throws ZodError on bad settings */
export function secretReferences(brand: Pick<Brand, 'channels'>): string[] {
  const references = Object.entries(brand.channels).flatMap(([name, accounts]) =>
    Object.values(accounts).flatMap((settings) => channelNamed(name)?.secretOf(settings) ?? []),
  );
  return [...new Set(references)].sort();
}

/**
 * Checks every account of a brand against its channel, for synth: a brand that passes can be deployed.
 *
 * @throws Error with one line for each fault: `channels.generic.pos: secret: …`
 */
export function checkChannels(brand: Pick<Brand, 'channels'>): void {
  const faults = Object.entries(brand.channels).flatMap(([name, accounts]) => {
    const channel = channelNamed(name);
    if (!channel) return [`channels.${name}: no such channel; there are ${Object.keys(channels).join(', ')}`];
    return Object.entries(accounts).flatMap(([account, settings]) =>
      channel.checkSettings(settings).map((fault) => `channels.${name}.${account}: ${fault}`),
    );
  });
  if (faults.length > 0) throw new Error(`the brand's channels are not right:\n${faults.join('\n')}`);
}
