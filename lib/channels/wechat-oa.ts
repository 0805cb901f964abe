import { oaEvents, oaSilent } from './wechat-oa-events.ts';
import { wechatPush } from './wechat-push.ts';

/**
 * A WeChat official account (公众号). Two events of one follower may share a second: the menu's key or the scene
 * tells them apart.
 *
 * Source: developers.weixin.qq.com, message push (消息推送).
 */
export const wechatOa = wechatPush({
  name: 'wechat-oa',
  events: oaEvents,
  silent: oaSilent,
  apart: (message) => [message.field('EventKey')],
});
