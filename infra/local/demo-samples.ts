// The samples of events/: real requests, said again now, by this brand's vendors.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type SentRequest, sendGeneric, sendTracking, signWechat } from '../../lib/channels/sign.ts';
import { toIso } from '../../lib/platform/clock.ts';
import type { Senders } from './demo-accounts.ts';
import { nonceOf } from './demo-send.ts';

const ROOT = fileURLToPath(new URL('../../events/', import.meta.url));

const sample = z.object({
  at: z.iso.datetime(),
  channel: z.string(),
  account: z.string(),
  /** What the vendor says, before it is signed and sealed. */
  message: z.string(),
  request: z.object({ path: z.string(), headers: z.record(z.string(), z.string()) }),
});
type Sample = z.infer<typeof sample>;

export interface NamedRequest {
  /** `<channel>/<case>`. */
  readonly name: string;
  readonly request: SentRequest;
}

/** The app of the samples, whose place the brand's own takes. */
const SAMPLE_APP = 'wxqh0000teahouse1';
/** The samples' phone is of the mainland, which a brand elsewhere would not know. */
const [SAMPLE_PHONE, WITH_COUNTRY] = ['"13800138000"', '"+8613800138000"'];

/** Every sample that the brand has an account for, with its times moved as if it were sent at `now`. */
export function sampleRequests(senders: Senders, now: number): NamedRequest[] {
  return globSync('*/*.request.json', { cwd: ROOT })
    .sort()
    .flatMap((file) => {
      const it = sample.parse(JSON.parse(readFileSync(`${ROOT}${file}`, 'utf8')));
      const request = signed(it, moved(it, senders, now), senders, now);
      return request ? [{ name: file.replace('.request.json', ''), request }] : [];
    });
}

/** The message with each of its times, RFC 3339 or Unix, as far before `now` as it was before the sample was sent. */
function moved({ at, message }: Sample, { wechat }: Senders, now: number): string {
  const shift = now - Date.parse(at);
  return message
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, (time) =>
      toIso(Date.parse(time) + shift),
    )
    .replaceAll(/\b17600000\d\d\b/g, (time) => String(Math.floor(Number(time) + shift / 1000)))
    .replaceAll(SAMPLE_APP, wechat?.appId ?? SAMPLE_APP)
    .replaceAll(SAMPLE_PHONE, WITH_COUNTRY);
}

function signed(
  { channel, account, request: { path, headers } }: Sample,
  message: string,
  { wechat, pos, web, server }: Senders,
  now: number,
): SentRequest | undefined {
  switch (channel) {
    case 'wechat-oa':
      return wechat && signWechat(message, wechat, now, nonceOf(message));
    case 'generic':
      return pos && sendGeneric(pos.account, message, pos.key, headers['webhook-id'] ?? '', now);
    case 'segment': {
      const sender = account === 'server' ? server : web;
      return sender && sendTracking(path.replace('/v1/', ''), message, sender.writeKey);
    }
    default:
      return undefined; // the demo brands have no account there
  }
}
