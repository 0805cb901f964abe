import type { Channel } from './channel.ts';
import { doudian } from './doudian.ts';
import { doudianFetcher } from './doudian-fetch.ts';
import type { Fetcher } from './fetcher.ts';
import { wecom } from './wecom.ts';
import { wecomFetcher } from './wecom-fetch.ts';
import { xiaohongshu } from './xiaohongshu.ts';
import { xiaohongshuFetcher } from './xiaohongshu-fetch.ts';

/**
 * The channels whose vendors are asked for what their pushes only announce. A new one is a value here and `asks` in its
 * channel.
 */
export const fetchers: readonly { readonly channel: Channel; readonly fetcher: Fetcher }[] = [
  { channel: wecom, fetcher: wecomFetcher },
  { channel: doudian, fetcher: doudianFetcher },
  { channel: xiaohongshu, fetcher: xiaohongshuFetcher },
];
