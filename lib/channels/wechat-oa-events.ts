import { delivery, wechatEvents } from './wechat-events.ts';
import { type Entries, type Entry, one } from './wechat-meaning.ts';

const after = (text: string, prefix: string) => (text.startsWith(prefix) ? text.slice(prefix.length) : '');

const followed: Entry = (message, appId) => {
  const key = message.field('EventKey');
  const scene = after(key, 'qrscene_');
  const transaction = after(key, 'last_trade_no_');
  const follow = one('channel_followed', { channel_account_id: appId, scene, transaction_id: transaction });
  return scene ? [follow, one('qr_code_scanned', { scene, is_follow: true })] : [follow];
};

/**
 * What was scanned, photographed or chosen on the map is not looked at: it may be anything. The key of a link is its
 * address, which may be longer than a key.
 */
const menu =
  (kind: string): Entry =>
  (message) => {
    const key = message.field('EventKey');
    const properties = { menu_key: key.slice(0, 256), menu_type: kind, menu_id: message.field('MenuId') };
    return [one('menu_clicked', kind === 'view' ? { ...properties, url: key } : properties)];
  };

const menus = [
  'click',
  'view',
  'view_miniprogram',
  'scancode_push',
  'scancode_waitmsg',
  'pic_sysphoto',
  'pic_photo_or_album',
  'pic_weixin',
  'location_select',
];

/** What an official account is told, by the event's name in lower case. */
export const oaEvents: Entries = {
  ...wechatEvents,
  ...Object.fromEntries(menus.map((kind) => [kind, menu(kind)])),
  subscribe: followed,
  unsubscribe: (_, appId) => [one('channel_unfollowed', { channel_account_id: appId })],
  scan: (message) => [one('qr_code_scanned', { scene: message.field('EventKey'), is_follow: false })],
  templatesendjobfinish: (message) => {
    const status = message.field('Status');
    const reason = status.replace(/^failed:\s*/, '');
    return [delivery(message.field('Event'), message.field('MsgID'), status === 'success', {}, reason)];
  },
};

/** Events that are known and mean nothing here. A place is sensitive personal data: it is not even looked at. */
export const oaSilent: ReadonlySet<string> = new Set(['location']);
