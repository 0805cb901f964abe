// What the vendors of a brand say, as the requests in which they say it, and their way to the run.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type SentRequest, sendGeneric, sendTracking, signWechat } from '../../lib/channels/sign.ts';
import type { Senders } from './demo-accounts.ts';

/** One thing that happened, in the words of the channel that tells of it. */
export type Step =
  | { readonly at: number; readonly by: 'wechat'; readonly fields: Readonly<Record<string, string>> }
  | {
      readonly at: number;
      readonly by: 'pos' | 'crm' | 'web' | 'server';
      readonly row: Readonly<Record<string, unknown>>;
    };

/** Rows of one request. A till would send them one by one; a nightly export sends them so. */
const BATCH = 100;

/** The steps as signed requests: one for each message of WeChat, batches of what can be sent in batches. */
export function requestsOf(steps: readonly Step[], senders: Senders, now: number): SentRequest[] {
  const { wechat, pos, crm, web, server } = senders;
  const rows = (by: Step['by']) =>
    chunked(steps.flatMap((step) => (step.by === by && step.by !== 'wechat' ? [step.row] : [])));
  const single = steps.flatMap((step) =>
    step.by === 'wechat' && wechat
      ? [signWechat(wechatXml(step.fields), wechat, now, nonceOf(JSON.stringify(step.fields)))]
      : [],
  );
  const signed = ([sender, by]: readonly [Senders['pos'], Step['by']]) =>
    sender
      ? rows(by).map((batch) => {
          const body = JSON.stringify({ batch });
          return sendGeneric(sender.account, body, sender.key, `msg_${digestOf(body)}`, now);
        })
      : [];
  const tracked = ([sender, by]: readonly [Senders['web'], Step['by']]) =>
    sender ? rows(by).map((batch) => sendTracking('batch', JSON.stringify({ batch }), sender.writeKey)) : [];
  return [
    ...single,
    ...(
      [
        [pos, 'pos'],
        [crm, 'crm'],
      ] as const
    ).flatMap(signed),
    ...(
      [
        [web, 'web'],
        [server, 'server'],
      ] as const
    ).flatMap(tracked),
  ];
}

function chunked<T>(list: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let from = 0; from < list.length; from += BATCH) chunks.push(list.slice(from, from + BATCH));
  return chunks;
}

/** A message as an official account writes it: numbers bare, text in CDATA. */
const wechatXml = (fields: Readonly<Record<string, string>>): string =>
  `<xml>${Object.entries(fields)
    .map(([name, value]) =>
      /^\d+$/.test(value) ? `<${name}>${value}</${name}>` : `<${name}><![CDATA[${value}]]></${name}>`,
    )
    .join('')}</xml>`;

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 24);
/** A nonce that follows from what is sent. */
export const nonceOf = (text: string) => String(createHash('sha256').update(text).digest().readUInt32BE());

const TRIES = 4;

/** Sends a request as its vendor would: what is answered with 5xx is sent again. @throws on any other refusal */
export async function send(url: string, request: SentRequest): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { status, text } = await sendOnce(url, request);
    if (status < 300) return text;
    if (status < 500 || attempt === TRIES)
      throw new Error(`${request.method} ${request.path} was answered ${status}: ${text}`);
    await sleep(100 * 2 ** attempt);
  }
}

/** Sends a request once. @returns what was answered, whatever it is */
export async function sendOnce(
  url: string,
  { method, path, rawQuery, headers, body }: SentRequest,
): Promise<{ readonly status: number; readonly text: string }> {
  const reply = await fetch(`${url}${path}${rawQuery === '' ? '' : `?${rawQuery}`}`, {
    method,
    headers,
    ...(method === 'POST' && { body }),
  });
  return { status: reply.status, text: await reply.text() };
}

/** At most so many at once: two hands full, as a gateway of a small brand sees them. */
const CONCURRENCY = 8;

/** Sends all, and says after each how many are done. */
export async function sendAll(
  url: string,
  requests: readonly SentRequest[],
  done: (reply: string) => void,
): Promise<void> {
  const left = requests.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const request of left) done(await send(url, request));
    }),
  );
}

const genericReply = z.object({ accepted: z.int(), faults: z.array(z.object({ reason: z.string() })) });

/** What a reply says, in a few words. */
export function inShort(text: string): string {
  if (!text.startsWith('{')) return text;
  const said = genericReply.safeParse(JSON.parse(text));
  if (!said.success) return text;
  const { accepted, faults } = said.data;
  return [`${accepted} accepted`, ...faults.map(({ reason }) => `in quarantine: ${reason}`)].join(', ');
}
