import { miniprogramEvents } from './wechat-miniprogram-events.ts';
import { wechatPush } from './wechat-push.ts';

/**
 * A WeChat mini program (小程序) or a WeChat shop (微信小店): each is an account with its own appid, because an openid
 * is one of that app only.
 *
 * Source: developers.weixin.qq.com, message push (消息推送) of mini programs; shop events `channels_ec_…`.
 */
export const wechatMiniprogram = wechatPush({
  name: 'wechat-miniprogram',
  events: miniprogramEvents,
  silent: new Set(),
  apart: () => [],
});
