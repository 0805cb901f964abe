// Acts → the requests in which the demo brand's senders would say them.
import { z } from 'zod';
import { type SentRequest, sendGeneric, sendTracking, signWechat } from '../lib/channels/sign.ts';
import type { Brand } from '../lib/platform/brand.ts';
import type { HttpRequest } from '../lib/platform/http.ts';
import type { Act } from './acts.ts';

const secrets = z.object({
  'wechat-oa-main': z.object({ token: z.string(), encodingAesKey: z.string() }),
  'generic-pos': z.object({ keys: z.array(z.string()) }),
  'generic-crm': z.object({ keys: z.array(z.string()) }),
  'segment-web': z.object({ writeKey: z.string() }),
  'segment-server': z.object({ writeKey: z.string() }),
});

/** The senders of a brand that has the demo brand's channels. */
export function senders(brand: Brand) {
  const known = secrets.parse(brand.local?.secrets);
  const { appId } = z.object({ appId: z.string() }).parse(brand.channels['wechat-oa']?.main);
  const oa = { account: 'main', appId, ...known['wechat-oa-main'] };
  let sent = 0;

  const writeKey = (by: 'web' | 'server') => known[`segment-${by}`].writeKey;
  const key = (by: 'pos' | 'crm') => known[`generic-${by}`].keys[0] ?? '';

  return {
    /** One act, one request, as each sender speaks by itself. */
    single(act: Act, now: number): SentRequest {
      const nonce = `${++sent}x${now}`;
      if (act.by === 'oa') return signWechat(xml(act.fields), oa, now, nonce);
      if ('row' in act) return sendGeneric(act.by, JSON.stringify(act.row), key(act.by), `msg_${nonce}`, now);
      return sendTracking(String(act.call.type), JSON.stringify(act.call), writeKey(act.by));
    },

    /** Many acts of one sender in one request. @throws for WeChat, which has no such thing */
    batch(acts: readonly Act[], now: number): SentRequest {
      const [first] = acts;
      if (!first || first.by === 'oa') throw new Error('WeChat sends one message a request');
      if (first.by === 'web' || first.by === 'server') {
        const batch = acts.map((it) => ('call' in it ? it.call : undefined));
        return sendTracking('batch', JSON.stringify({ batch }), writeKey(first.by));
      }
      const batch = acts.map((it) => ('row' in it ? it.row : undefined));
      return sendGeneric(first.by, JSON.stringify({ batch }), key(first.by), `msg_b${++sent}x${now}`, now);
    },
  };
}

const xml = (fields: Readonly<Record<string, string>>): string =>
  `<xml>${Object.entries(fields)
    .map(([name, value]) =>
      /^\d+$/.test(value) ? `<${name}>${value}</${name}>` : `<${name}><![CDATA[${value}]]></${name}>`,
    )
    .join('')}</xml>`;

/** The request as the capture function sees it, without a network in between. */
export function received({ method, path, rawQuery, headers, body }: SentRequest): HttpRequest {
  const [, , channel = '', account = ''] = path.split('/');
  return {
    method,
    path,
    params: path.startsWith('/v1/') ? { call: path.slice(4) } : { channel, account },
    query: Object.fromEntries(new URLSearchParams(rawQuery)),
    rawQuery,
    headers,
    body: Buffer.from(body),
  };
}
