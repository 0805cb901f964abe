import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { ConflictError } from '../platform/errors.ts';
import { type Account, MisconfiguredError } from './channel.ts';
import { type Fields, textOf } from './context.ts';
import { type Fetched, fetcher, type Surroundings } from './fetcher.ts';
import type { Hint } from './hint.ts';
import { isRecord } from './json.ts';
import { BusyError, callVendor, heldToken, refusedBy } from './vendor-call.ts';
import { type Secret, type Settings, wecomSpec } from './wecom.ts';
import { contactChanges, contactIn, knownContact, unknownContact } from './wecom-contact.ts';
import { MESSAGES } from './wecom-fetched.ts';
import { CONTACT, contactNote } from './wecom-note.ts';

type Wecom = Account<Settings, Secret>;

/** All accounts of customer service, so that each is asked now and then. */
const SERVICE_ACCOUNTS = 'kf/account/list';

const NAME = 'access_token';
const SECOND = 1_000;

/** Codes by what has to be done. Source: developer.work.weixin.qq.com, 全局错误码. */
const BAD_TOKEN = new Set(['40001', '40014', '42001']);
const BUSY = new Set(['-1', '6000', '45009', '45033']);
const NO_RELATION = '84061';
const BAD_PASS = '95007';
const todo: Readonly<Record<string, string>> = {
  '48002': 'let the app call this (可调用接口的应用) and widen its visible range',
  '60011': 'widen the visible range of the app',
  '60020': 'add our outgoing address to the trusted addresses of the app (企业可信IP)',
  '95012': 'turn customer service on in WeCom (微信客服)',
};

/**
 * Asks WeCom for messages of customer service and for contacts that changed, as a self-built app.
 * Source: developer.work.weixin.qq.com, path/94670, path/92114, path/91039. Never tried against a live corp.
 */
export const wecomFetcher = fetcher<Settings, Secret>({
  ...wecomSpec,
  standing: ({ fetch }) => (fetch.includes('messages') ? [{ what: SERVICE_ACCOUNTS, of: {} }] : []),
  ask(hint, account, surroundings) {
    if (hint.what === CONTACT) return askContact(hint, account, surroundings);
    if (hint.what === SERVICE_ACCOUNTS) return askServiceAccounts(account, surroundings);
    return askMessages(hint, account, surroundings);
  },
});

/** How many accounts of customer service one answer names. */
const PAGE = 100;

/** More pages than any corp has of anything. */
const PAGES = 50;

async function askServiceAccounts(account: Wecom, around: Surroundings): Promise<Fetched> {
  const ids: string[] = [];
  for (let offset = 0, more = true; more && offset < PAGE * PAGES; offset += PAGE) {
    const answer = await call(SERVICE_ACCOUNTS, {}, { offset, limit: PAGE }, account, around);
    const page = Array.isArray(answer.account_list) ? answer.account_list.filter(isRecord) : [];
    ids.push(...page.flatMap((it) => textOf(it, 'open_kfid') ?? []));
    more = page.length === PAGE;
  }
  return { messages: [], hints: ids.map((open_kfid) => ({ what: MESSAGES, of: { open_kfid } })) };
}

/** Messages of one answer: WeCom gives up to 1,000. */
const LIMIT = 500;

const cursorKept = z.object({ cursor: z.string() });

/** The next messages of one account of customer service. The cursor moves when they are queued. */
async function askMessages(
  { of: { open_kfid = '' }, pass }: Hint,
  account: Wecom,
  around: Surroundings,
): Promise<Fetched | undefined> {
  const name = `${MESSAGES} ${open_kfid}`;
  const { value, version } = await around.kept.get(name);
  const cursor = value === undefined ? '' : cursorKept.parse(value).cursor;
  const body = { open_kfid, limit: LIMIT, ...(cursor !== '' && { cursor }) };
  const answer = await call(
    MESSAGES,
    {},
    pass === undefined ? body : { ...body, token: pass },
    account,
    around,
    {
      // The permission of a push lasts ten minutes; without one WeCom answers too, less often.
      instead: { [BAD_PASS]: body },
    },
  );
  const messages = Array.isArray(answer.msg_list) ? answer.msg_list : [];
  const next = textOf(answer, 'next_cursor') ?? cursor;
  const more = textOf(answer, 'has_more') === '1';
  if (next === cursor && messages.length === 0) return undefined;
  return {
    messages,
    more: more && next !== cursor,
    confirm: () => around.kept.put(name, { cursor: next }, version),
  };
}

/** What changed about a contact since the last look that found something. */
async function askContact(hint: Hint, account: Wecom, around: Surroundings): Promise<Fetched | undefined> {
  const { external_userid = '', added } = hint.of;
  const name = contactNote(external_userid);
  const { value, version } = await around.kept.get(name);
  const { unsent, ...known } = value === undefined ? unknownContact : knownContact.parse(value);
  const sent = (of: typeof known, at: number) => ({
    confirm: () => ignoringConflict(around.kept.put(name, of, at)),
  });
  if (unsent) return { messages: unsent, more: true, ...sent(known, version) };

  const now = contactIn(await contactPages(external_userid, account, around));
  const at = hint.at ?? around.now();
  const { changes, next } = contactChanges(external_userid, known, now, at, added !== undefined);
  if (changes.length === 0) {
    // That a first look found nothing is known from now on.
    if (version === 0) await around.kept.put(name, { ...next }, version);
    return undefined;
  }
  // Noted before it is told: if this is interrupted, the same is told again and nothing is compared twice.
  const messages: Json[] = changes.map((change) => ({ ...change }));
  await around.kept.put(name, { ...next, unsent: messages }, version);
  return { messages, ...sent(next, version + 1) };
}

/** Somebody else has told the same and gone on. */
async function ignoringConflict(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** A contact with all of the staff who have it, 500 a page; no page if nobody has it any more. */
async function contactPages(
  external_userid: string,
  account: Wecom,
  around: Surroundings,
): Promise<Fields[]> {
  const pages: Fields[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined && pages.length < PAGES; ) {
    const query: Record<string, string> = cursor === '' ? { external_userid } : { external_userid, cursor };
    const page = await call(CONTACT, query, undefined, account, around, { empty: NO_RELATION });
    pages.push(page);
    cursor = textOf(page, 'next_cursor');
  }
  return pages;
}

interface Exceptions {
  /** Another body for a code, once. */
  readonly instead?: Readonly<Record<string, object>>;
  /** The code that says that there is nothing. */
  readonly empty?: string;
}

/** One call. A token that WeCom has forgotten is renewed once. */
async function call(
  path: string,
  query: Readonly<Record<string, string>>,
  body: object | undefined,
  account: Wecom,
  around: Surroundings,
  { instead = {}, empty }: Exceptions = {},
): Promise<Fields> {
  let sent = body;
  for (let renewed = false; ; ) {
    const url = new URL(`/cgi-bin/${path}`, account.settings.url);
    url.search = new URLSearchParams({ ...query, access_token: await tokenOf(account, around) }).toString();
    const answer = await callVendor(path, url, requestOf(sent), around);
    const code = textOf(answer, 'errcode') ?? '0';
    if (code === '0') return answer;
    if (code === empty) return {};
    if (BAD_TOKEN.has(code) && !renewed) {
      around.tokens.delete(NAME);
      renewed = true;
    } else if (Object.hasOwn(instead, code) && sent !== instead[code]) sent = instead[code];
    else throw failure(path, code, account);
  }
}

const requestOf = (body: object | undefined) =>
  body === undefined
    ? { method: 'GET' }
    : {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };

function failure(path: string, code: string, { id }: Wecom): Error {
  if (BUSY.has(code)) return new BusyError(`${path} was put off with code ${code}`);
  if (BAD_TOKEN.has(code))
    return new MisconfiguredError(`wecom/${id}: the corpSecret is not that of the app, code ${code}`);
  return refusedBy(path, code, todo[code] ?? 'look the code up among WeCom’s (全局错误码) and mend it');
}

/** WeCom gives the same token again until it ends, in two hours or sooner. */
const tokenOf = (account: Wecom, around: Surroundings): Promise<string> =>
  heldToken(NAME, around, async () => {
    const { settings, secret, id } = account;
    if (secret.corpSecret === undefined)
      throw new MisconfiguredError(`the secret of wecom/${id} has no corpSecret, which asking needs`);
    const url = new URL('/cgi-bin/gettoken', settings.url);
    url.search = new URLSearchParams({ corpid: settings.corpId, corpsecret: secret.corpSecret }).toString();
    const answer = await callVendor('gettoken', url, { method: 'GET' }, around);
    const code = textOf(answer, 'errcode') ?? '0';
    const value = textOf(answer, 'access_token');
    if (BUSY.has(code)) throw failure('gettoken', code, account);
    if (code !== '0' || !value)
      throw new MisconfiguredError(
        `wecom/${id}: gettoken was refused with code ${code}: are corpId and corpSecret right?`,
      );
    const seconds = Number(textOf(answer, 'expires_in') ?? 7200);
    return { value, expiresAt: around.now() + seconds * SECOND };
  });
