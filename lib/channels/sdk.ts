// What the dialects of SDKs have in common: a public key instead of a signature, any site's browser, gzip unannounced.
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import type { DraftIdentifier } from '../events/identifiers.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpRequest } from '../platform/http.ts';
import type { Envelope } from './fault-body.ts';
import { readJson } from './json.ts';
import { sameSecret, unauthentic } from './verify.ts';

/**
 * The largest body, as sent and unzipped. SDKs send batches of 1.2 MB whatever their documents say. Lambda would take
 * 4.5 MB (6 MB in base64), but whoever has a public key can have us read this much: it may cost 20 ms and no more.
 */
export const SDK_BYTES = 1536 * 1024;

/** Events in one request: more is not what an SDK sends, and each may become a message and a row. */
export const SDK_BATCH = 5000;

const kind = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/);

/** What an account of an SDK's dialect may be told. */
export const sdkSettings = z.strictObject({
  secret: z.string().min(1),
  /** The key is kept on our own servers, never shipped in an app or a page: then it may claim money. */
  server: z.boolean().default(false),
  /** What the id of a known user is. */
  userIdKind: kind.default('member_id'),
  /** The sender's name of an event → ours, for names that have no Latin letters. */
  types: z.record(z.string(), z.string()).default({}),
});

const key = z.string().min(8).max(128);

/** A key and those before it, while old apps still send them: the secret of an account, under the vendor's own word. */
export const keySecret = <Name extends string>(name: Name) =>
  z.object({ [name]: key, previous: z.union([key, z.array(key)]).optional() }).transform((held) => ({
    keys: [key.parse(held[name]), ...[z.union([key, z.array(key)]).parse(held.previous ?? [])].flat()],
  }));
export interface SdkSecret {
  readonly keys: readonly string[];
}

/** Any site's page may send, and read what it is told; no cookie is wanted. */
export const cors: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers':
    'authorization, content-type, content-encoding, x-retry-count, anonymousid, dry-run',
  'access-control-max-age': '86400',
};

/** @throws RejectedError 401 where the key is none of the account's */
export function checkKey(sent: string | undefined, { keys }: SdkSecret, whose: string): void {
  const holds = keys.map((it) => sameSecret(it, sent ?? ''));
  if (!holds.includes(true)) unauthentic('bad_write_key', `not the key of ${whose}`);
}

export const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Bytes that begin as gzip does, unzipped, whatever the headers say; others as they are. @throws RejectedError */
export function unzipped(bytes: Buffer): Buffer {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: SDK_BYTES, chunkSize: 128 * 1024 });
  } catch (error) {
    if (error instanceof RangeError)
      throw new RejectedError('too_large', `at most ${SDK_BYTES / 1024} KB`, 413);
    throw new RejectedError('bad_body', 'the body begins like gzip and is none');
  }
}

/** The body's text, unzipped. @throws RejectedError */
export const textIn = perRequest(({ body }: HttpRequest): string => {
  if (body.length > SDK_BYTES) throw new RejectedError('too_large', `at most ${SDK_BYTES / 1024} KB`, 413);
  return unzipped(body).toString('utf8');
});

/** For senders that are refused nothing: the text, or in base64 what begins like gzip and is none. @throws RejectedError 413 */
export function openedOr(request: HttpRequest, open: (request: HttpRequest) => string): string {
  try {
    return open(request);
  } catch (error) {
    if (error instanceof RejectedError && error.status === 400) return request.body.toString('base64');
    throw error;
  }
}

/** The same, worked out once for a request: its key is asked for twice, and may be deep in a zipped body. */
export function perRequest<T>(of: (request: HttpRequest) => T): (request: HttpRequest) => T {
  const known = new WeakMap<HttpRequest, { readonly value: T }>();
  return (request) => {
    const found = known.get(request) ?? { value: of(request) };
    known.set(request, found);
    return found.value;
  };
}

/** A text, and the JSON that it is: read when it is first asked for, and not again. */
export interface Said {
  readonly text: string;
  /** @throws FaultError the same each time */
  json(): Json;
}

/** A body that is looked through for its key, and then for its events. */
export function said(text: string): Said {
  let read: { readonly value: Json } | { readonly fault: unknown } | undefined;
  const attempt = () => {
    try {
      return { value: readJson(text) };
    } catch (fault) {
      return { fault };
    }
  };
  return {
    text,
    json() {
      read ??= attempt();
      if ('fault' in read) throw read.fault;
      return read.value;
    },
  };
}

const heard = new WeakMap<Envelope, Said>();

/** What was sent, opened: its JSON is at hand when its events are asked for. */
export function openedAs(what: Said, envelope: Envelope): { text: string; envelope: Envelope } {
  heard.set(envelope, what);
  return { text: what.text, envelope };
}

/** The JSON of a delivery, at hand or to be read. @throws FaultError */
export const jsonOf = (text: string, envelope: Envelope): Json =>
  heard.get(envelope)?.json() ?? readJson(text);

/** What is looked for in a body, where that is JSON. */
export function soughtIn<T>({ json }: Said, seek: (body: Json) => T): T | undefined {
  try {
    return seek(json());
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}

/** An identifier, where there is a value for it. */
export const who = (of: string, value: string | undefined, scope?: string): DraftIdentifier[] =>
  value === undefined || value.trim() === '' ? [] : [{ kind: of, scope, value }];

/** How an anonymous id looks that an SDK made up: UUIDs, and the cookie ids of Sensors (`18f…-0a…-1b…-…-18f…`). */
export const looksMadeUp = (id: string): boolean =>
  /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(id) || /^[0-9a-f]+(?:-[0-9a-f]+){4}$/i.test(id);
