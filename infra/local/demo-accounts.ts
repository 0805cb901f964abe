// The brand's accounts as their vendors know them: addresses and secrets of the local run.
import { z } from 'zod';
import type { WechatSender } from '../../lib/channels/sign.ts';
import type { Brand } from '../../lib/platform/brand.ts';

interface SignedSender {
  readonly account: string;
  readonly key: string;
}
interface TrackingSender {
  readonly account: string;
  readonly writeKey: string;
}

/** Who can speak to the brand here; absent: it has no such account, or no local secret for it. */
export interface Senders {
  readonly wechat?: WechatSender & { readonly unionScope: string };
  readonly pos?: SignedSender;
  readonly crm?: SignedSender;
  readonly web?: TrackingSender;
  readonly server?: TrackingSender;
}

const settings = z.looseObject({
  secret: z.string(),
  appId: z.string().optional(),
  unionScope: z.string().optional(),
  server: z.boolean().optional(),
});
const wechatSecret = z.looseObject({ token: z.string(), encodingAesKey: z.string() });
const genericSecret = z.looseObject({ keys: z.array(z.string()) });
const trackingSecret = z.looseObject({ writeKey: z.string() });

/** Finds the accounts that the demo speaks through: by name where a brand has `pos` and `crm`, else the first. */
export function sendersOf(brand: Brand): Senders {
  const accounts = (channel: string) =>
    Object.entries(brand.channels[channel] ?? {}).flatMap(([account, raw]) => {
      const parsed = settings.safeParse(raw);
      return parsed.success
        ? [{ account, ...parsed.data, held: brand.local?.secrets[parsed.data.secret] }]
        : [];
    });
  const wechat = accounts('wechat-oa').flatMap(({ account, appId, unionScope = brand.name, held }) => {
    const secret = wechatSecret.safeParse(held);
    if (!secret.success || appId === undefined) return [];
    const { token, encodingAesKey } = secret.data;
    return [{ account, appId, unionScope, token, encodingAesKey }];
  });
  const generic = accounts('generic').flatMap(({ account, held }) => {
    const key = genericSecret.safeParse(held).data?.keys.find((it) => it.startsWith('whsec_'));
    return key === undefined ? [] : [{ account, key }];
  });
  const tracking = accounts('segment').flatMap(({ account, server = false, held }) => {
    const writeKey = trackingSecret.safeParse(held).data?.writeKey;
    return writeKey === undefined ? [] : [{ account, writeKey, server }];
  });
  const named = (name: string) => generic.find(({ account }) => account === name) ?? generic[0];
  return {
    wechat: wechat[0],
    pos: named('pos'),
    crm: named('crm'),
    web: tracking.find(({ server }) => !server),
    server: tracking.find(({ server }) => server),
  };
}
