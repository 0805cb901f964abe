import { z } from 'zod';
import { type Api, type ApiCall, anApi } from './api.ts';
import { teahouseCorp } from './wecom.ts';

export const corpSecret = 'QhCorpSecret-0a1b2c3d';

export interface Tag {
  readonly tag_id?: string;
  readonly tag_name: string;
  readonly group_name?: string;
  readonly type: number;
}

export interface Follow {
  readonly userid: string;
  readonly remark?: string;
  readonly description?: string;
  readonly tags?: readonly Tag[];
}

export interface WecomApi extends Api {
  /** Messages of customer service by account, oldest first. A cursor is how many of them were given. */
  readonly messages: Map<string, object[]>;
  /** How many messages one answer holds. */
  atOnce: number;
  /** Contacts by external_userid; one that is not here has no relation with anybody. */
  readonly contacts: Map<string, { unionid?: string; follows: Follow[] }>;
  /** The token that is good now, and how many were made. */
  token: string;
  made: number;
  /** A code to answer a call with, instead of what it asked for. */
  refuses?: ((call: ApiCall) => number | undefined) | undefined;
}

const sync = z.object({
  open_kfid: z.string(),
  cursor: z.string().optional(),
  token: z.string().optional(),
  limit: z.int().max(1000),
});

/** WeCom's calls as it documents them. */
export async function aWecomApi(): Promise<WecomApi> {
  const api: Api = await anApi((call) => answered(call, wecom));
  const wecom: WecomApi = Object.assign(api, {
    messages: new Map<string, object[]>(),
    contacts: new Map(),
    atOnce: 1000,
    token: '',
    made: 0,
  });
  return wecom;
}

function answered(call: ApiCall, api: WecomApi): object {
  const refused = api.refuses?.(call);
  if (refused !== undefined) return { errcode: refused, errmsg: 'as the test wants' };
  if (call.path === 'cgi-bin/gettoken') return tokenFor(call, api);
  if (call.query.access_token !== api.token || api.token === '') return { errcode: 40014, errmsg: 'invalid' };
  if (call.path === 'cgi-bin/kf/account/list')
    return { errcode: 0, account_list: [...api.messages.keys()].map((open_kfid) => ({ open_kfid })) };
  return call.path === 'cgi-bin/kf/sync_msg' ? synced(call, api) : contact(call, api);
}

function tokenFor({ query }: ApiCall, api: WecomApi): object {
  if (query.corpid !== teahouseCorp) return { errcode: 40013 };
  if (query.corpsecret !== corpSecret) return { errcode: 40001 };
  if (api.token === '') api.token = `token-${++api.made}`;
  return { errcode: 0, access_token: api.token, expires_in: 7200 };
}

function synced({ body }: ApiCall, api: WecomApi): object {
  const { open_kfid, cursor = '0', token, limit } = sync.parse(JSON.parse(body));
  if (token === 'expired') return { errcode: 95007 };
  const all = api.messages.get(open_kfid) ?? [];
  const to = Math.min(all.length, Number(cursor) + Math.min(limit, api.atOnce));
  return {
    errcode: 0,
    next_cursor: String(to),
    has_more: to < all.length ? 1 : 0,
    msg_list: all.slice(Number(cursor), to),
  };
}

function contact({ query }: ApiCall, { contacts }: WecomApi): object {
  const found = contacts.get(query.external_userid ?? '');
  if (!found) return { errcode: 84061, errmsg: 'not external contact' };
  const { unionid, follows } = found;
  const at = Number(query.cursor ?? 0);
  return {
    errcode: 0,
    external_contact: { external_userid: query.external_userid, name: '林', type: 1, unionid },
    follow_user: follows.slice(at, at + 1).map((follow) => ({ ...follow, remark_mobiles: ['13800138000'] })),
    ...(at + 1 < follows.length && { next_cursor: String(at + 1) }),
  };
}
