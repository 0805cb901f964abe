// Scope: brands whose accounts hold the secrets of published vectors, each run at their time, asked over HTTP.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decrypt } from '@wecom/crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Run, startRun } from '../../infra/local/brand-run.ts';
import { hasShared, sharedText, without } from '../channels/captured.ts';

const text = z.string();
const config = z.record(text, z.json());
type Config = z.infer<typeof config>;

/** What a vector's `config` is called in an account of ours: settings, and what its secret holds. */
interface Account {
  readonly channel: string;
  settings(config: Config): Record<string, z.core.util.JSONType>;
  secret(config: Config): Record<string, z.core.util.JSONType>;
}

const sealed = (config: Config) => ({
  token: config.token ?? null,
  ...(config.encoding_aes_key === undefined ? {} : { encodingAesKey: config.encoding_aes_key }),
});

/** By the file of the vectors. What a config leaves open is what its requests say. */
const accounts: Readonly<Record<string, Account>> = {
  'wechat-oa': {
    channel: 'wechat-oa',
    settings: ({ receive_id, mode }) => ({
      appId: receive_id ?? 'wxqh0000teahouse1',
      plain: mode === 'plain',
    }),
    secret: sealed,
  },
  wecom: { channel: 'wecom', settings: ({ receive_id = null }) => ({ corpId: receive_id }), secret: sealed },
  dingtalk: {
    channel: 'dingtalk',
    settings: ({ receive_id = null }) => ({ corpId: receive_id }),
    secret: ({ token = null, encoding_aes_key = null }) => ({ token, aesKey: encoding_aes_key }),
  },
  'wechat-pay-v3': {
    channel: 'wechat-pay',
    settings: () => ({ mchId: '1900009231' }),
    secret: ({ api_v3_key = null, keys = null }) => ({ apiV3Key: api_v3_key, publicKeys: keys }),
  },
  'douyin-open': {
    channel: 'douyin-open',
    settings: () => ({ clientKey: 'awqh0teahouse' }),
    secret: ({ client_secret = null }) => ({ clientSecret: client_secret }),
  },
  doudian: {
    channel: 'doudian',
    settings: ({ app_key = null }) => ({ appKey: app_key }),
    secret: ({ app_secret = null }) => ({ appSecret: app_secret }),
  },
  youzan: {
    channel: 'youzan',
    settings: ({ client_id = null }) => ({ clientId: client_id, kdtId: '43210001' }),
    secret: ({ client_secret = null }) => ({ clientSecret: client_secret }),
  },
  weimob: {
    channel: 'weimob',
    settings: ({ client_id = null }) => ({ clientId: client_id, bosId: '4020112233445' }),
    secret: ({ client_secret = null }) => ({ clientSecret: client_secret }),
  },
  shopify: {
    channel: 'shopify',
    settings: ({ shop = null }) => ({ shop }),
    secret: ({ api_secret = null }) => ({ apiSecret: api_secret }),
  },
  stripe: {
    channel: 'stripe',
    settings: () => ({}),
    secret: ({ secret = null }) => ({ signingSecret: secret }),
  },
  feishu: {
    channel: 'feishu',
    settings: () => ({ appId: 'cli_qh0001' }),
    secret: ({ encrypt_key = null, verification_token = null }) => ({
      encryptKey: encrypt_key,
      verificationToken: verification_token,
    }),
  },
  meta: {
    channel: 'meta',
    settings: () => ({}),
    secret: ({ app_secret = null, verify_token = null }) => ({
      appSecret: app_secret,
      verifyToken: verify_token,
    }),
  },
  'standard-webhooks': {
    channel: 'generic',
    settings: () => ({}),
    secret: ({ secrets = null }) => ({ keys: secrets }),
  },
};

const httpCase = z.object({
  id: text,
  kind: z.literal('http_case'),
  inputs: z.object({
    now: z.number().optional(),
    config,
    request: z.object({
      method: text,
      query: z.record(text, text).default({}),
      headers: z.record(text, text),
      body: text,
    }),
  }),
  expected: z.object({
    accept: z.boolean(),
    reason: text.optional(),
    reply: z
      .object({
        status: z.number(),
        body: text.optional(),
        json: z.json().optional(),
        json_has: z.array(text).optional(),
        decrypts_to: text.optional(),
      })
      .optional(),
  }),
});
type HttpCase = z.infer<typeof httpCase> & { readonly file: string; readonly account: Account };

const file = z.object({ vectors: z.array(z.looseObject({ kind: text })) });

function casesIn([name, account]: [string, Account]): HttpCase[] {
  const { vectors } = file.parse(JSON.parse(sharedText(`vectors/${name}.json`)));
  return vectors
    .filter(({ kind }) => kind === 'http_case')
    .map((it) => ({ ...httpCase.parse(it), file: name, account }));
}

const cases = hasShared ? Object.entries(accounts).flatMap(casesIn) : [];
const SOME_TIME = 1_760_000_003;
const timeOf = ({ inputs }: HttpCase) => inputs.now ?? SOME_TIME;
/** One run for each minute that any vector is of. A clock runs on while a brand starts: it begins so much before. */
const byTime = [...Map.groupBy(cases, (it) => Math.floor(timeOf(it) / 60))]
  .map(([, of]) => [Math.min(...of.map(timeOf)), of] as const)
  .sort(([a], [b]) => a - b);
const LEAD_MS = 20_000;

/** A brand file with an account for each case, named after it. */
function brandFile(of: readonly HttpCase[]) {
  const channels: Record<string, Record<string, unknown>> = {};
  const secrets: Record<string, unknown> = {};
  for (const [i, { id, account, inputs }] of of.entries()) {
    channels[account.channel] = {
      ...channels[account.channel],
      [id]: { ...account.settings(inputs.config), secret: `vector-${i}` },
    };
    secrets[`vector-${i}`] = account.secret(inputs.config);
  }
  const keys = { operator: 'vector-operator-01', admin: 'vector-admin-00001' };
  return {
    name: 'vectors',
    title: { zh: '样例', en: 'Vectors' },
    timezone: 'Asia/Shanghai',
    locale: 'zh-CN',
    currency: 'CNY',
    channels,
    local: { secrets, keys },
  };
}

test.skipIf(!hasShared)(`there are vectors of every vendor that publishes any${without}`, () => {
  expect(new Set(cases.map((it) => it.file))).toEqual(new Set(Object.keys(accounts)));
});

describe.each(byTime)(`at %i, a run with the vectors' secrets answers as published`, (time, of) => {
  let run: Run;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'siyu-vectors-'));
    const path = join(folder, 'vectors.json');
    await writeFile(path, JSON.stringify(brandFile(of)));
    run = await startRun({ brandFile: path, clockAt: time * 1000 - LEAD_MS });
  });
  afterAll(async () => {
    await run?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = ({ id, account, inputs: { request } }: HttpCase) =>
    fetch(`${run.url}/webhooks/${account.channel}/${id}?${new URLSearchParams(request.query)}`, {
      method: request.method,
      headers: request.headers,
      ...(request.method === 'GET' ? {} : { body: request.body }),
    });

  test.each(of.map((it) => [`${it.file}/${it.id}`, it] as const))('%s', async (_name, it) => {
    const { inputs, expected } = it;
    // A nonce that the vector says was seen is one that came before.
    if (inputs.config.seen_nonces !== undefined) expect((await ask(it)).status).toBe(200);
    const reply = await ask(it);
    const body = await reply.text();
    if (!expected.accept) {
      const status = expected.reason === 'doctype_forbidden' ? 400 : it.file === 'meta' ? 403 : 401;
      expect(reply.status).toBe(status);
      if (status !== 400) expect(body).not.toContain(expected.reason); // which check failed is nobody's business
      return;
    }
    const wanted = expected.reply;
    expect([wanted?.status ?? 200, 204]).toContain(reply.status);
    if (wanted?.body !== undefined) expect(body).toBe(wanted.body);
    if (wanted?.json !== undefined) expect(JSON.parse(body)).toEqual(wanted.json);
    if (wanted?.json_has) expect(Object.keys(JSON.parse(body)).sort()).toEqual(wanted.json_has.toSorted());
    if (wanted?.decrypts_to !== undefined) {
      const { encrypt } = z.object({ encrypt: text }).parse(JSON.parse(body));
      const { message } = decrypt(text.parse(inputs.config.encoding_aes_key), encrypt);
      expect(message).toBe(wanted.decrypts_to);
    }
  });
});
