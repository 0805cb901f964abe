import { z } from 'zod';
import type { Run } from '../../infra/local/brand-run.ts';
import { sendersOf } from '../../infra/local/demo-accounts.ts';
import { digestAt } from '../../infra/local/digest.ts';
import { reportAnswer } from '../../lib/attribution/report.ts';
import { conversionAnswer } from '../../lib/attribution/view.ts';
import { type SentRequest, sendGeneric, sendTracking, signWechat } from '../../lib/channels/sign.ts';
import { toIso } from '../../lib/platform/clock.ts';
import { profileView } from '../../lib/query/profile-view.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

const conversionsAnswer = z.object({ conversions: z.array(conversionAnswer) });
const generic = z.object({
  accepted: z.int(),
  faults: z.array(z.object({ index: z.int(), reason: z.string() })),
});

function present<T>(sender: T | undefined, name: string): T {
  if (sender === undefined) throw new Error(`the brand has no ${name} account with a local secret`);
  return sender;
}

/** Somebody outside, who knows a run's address, its accounts' secrets and its keys, and nothing else. */
export function visitorOf(run: Run) {
  const senders = sendersOf(run.brand);
  const pos = present(senders.pos, 'generic');
  const wechat = present(senders.wechat, 'wechat-oa');
  let messages = 0;
  const sent: { said: () => SentRequest }[] = [];

  async function send({ method, path, rawQuery, headers, body }: SentRequest): Promise<Answer> {
    const reply = await fetch(`${run.url}${path}${rawQuery && `?${rawQuery}`}`, {
      method,
      headers,
      ...(method === 'POST' && { body }),
    });
    return { status: reply.status, text: await reply.text() };
  }
  /** Says something, and remembers how to say it again: signed anew, the same inside. */
  async function say(said: () => SentRequest): Promise<string> {
    sent.push({ said });
    const { status, text } = await send(said());
    if (status !== 200) throw new Error(`${said().path} was answered ${status}: ${text}`);
    return text;
  }
  const now = () => run.clock.now();
  const headers = (key: string) => ({ authorization: `Bearer ${key}`, 'x-reason': 'a journey asks' });
  const get = async (path: string, key = run.keys.admin): Promise<Answer> => {
    const reply = await fetch(`${run.url}${path}`, { headers: headers(key) });
    return { status: reply.status, text: await reply.text() };
  };
  const ask = async <T>(path: string, schema: z.ZodType<T>, key?: string): Promise<T> => {
    const { status, text } = await get(path, key);
    if (status !== 200) throw new Error(`GET ${path} was answered ${status}: ${text}`);
    return schema.parse(JSON.parse(text));
  };

  return {
    senders,
    send,
    get,
    ask,
    now,
    /** An instant so many days, hours … before now, as text. */
    ago: (ms: number) => toIso(now() - ms),

    /** What a till or a CRM says; the whole batch under one message id. */
    async tell(body: unknown, id = `msg_${++messages}`) {
      const text = JSON.stringify(body);
      return generic.parse(JSON.parse(await say(() => sendGeneric(pos.account, text, pos.key, id, now()))));
    },
    /** What pages and the web shop's server say. */
    track(call: string, body: unknown, by: 'web' | 'server' = 'web') {
      const { writeKey } = present(senders[by], by);
      const text = JSON.stringify(body);
      return say(() => sendTracking(call, text, writeKey));
    },
    /** What WeChat says: sealed with another nonce each time. */
    wechat: (fields: Readonly<Record<string, string>>) => say(() => sealed(fields)),
    sealed,
    /** Everything that was said, once more. */
    async repeat(): Promise<void> {
      for (const { said } of sent) expectOk(await send(said()));
    },

    profile: (kind: string, value: string, key?: string) =>
      ask(`/profiles/${kind}/${encodeURIComponent(value)}`, profileView, key),
    conversions: async (kind: string, value: string) =>
      (await ask(`/profiles/${kind}/${encodeURIComponent(value)}/conversions`, conversionsAnswer))
        .conversions,
    report: (query: Readonly<Record<string, string>>) =>
      ask(`/attribution?${new URLSearchParams(query)}`, reportAnswer),
    async put(path: string, body: string, key = run.keys.admin): Promise<Answer> {
      const reply = await fetch(`${run.url}${path}`, { method: 'PUT', headers: headers(key), body });
      return { status: reply.status, text: await reply.text() };
    },
    async post(path: string, body?: unknown, key = run.keys.admin): Promise<Answer> {
      const reply = await fetch(`${run.url}${path}`, {
        method: 'POST',
        headers: headers(key),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: reply.status, text: await reply.text() };
    },
    /** Waits until all that was said is known. */
    async settled(): Promise<void> {
      expectOk(await get('/_local/idle?timeout=60'));
    },
    async clock(order: { readonly to: string } | { readonly advance: string }): Promise<Answer> {
      const reply = await fetch(`${run.url}/_local/clock`, { method: 'POST', body: JSON.stringify(order) });
      return { status: reply.status, text: await reply.text() };
    },
    digest: async () => (await digestAt(run.url)).digest,
  };

  function sealed(fields: Readonly<Record<string, string>>): SentRequest {
    const inner = Object.entries({ ToUserName: 'gh_1', ...fields })
      .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
      .join('');
    return signWechat(`<xml>${inner}</xml>`, wechat, now(), String(1_000_000 + ++messages));
  }
}
export type Visitor = ReturnType<typeof visitorOf>;

function expectOk({ status, text }: Answer): void {
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
}
