import { z } from 'zod';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { RejectedError } from '../platform/errors.ts';
import { type HttpReply, type HttpRequest, json } from '../platform/http.ts';
import { channel, type Outcome } from './channel.ts';
import { fieldsIn, fieldValue, fromBase64, nameOf } from './form.ts';
import { isRecord, readJson } from './json.ts';
import {
  checkKey,
  cors,
  isGzip,
  keySecret,
  openedOr,
  perRequest,
  SDK_BATCH,
  SDK_BYTES,
  type SdkSecret,
  sdkSettings,
  textIn,
  unzipped,
} from './sdk.ts';
import { readSensors } from './sensors-read.ts';

const settings = sdkSettings.extend({
  /** The sender's name of an identity (`$identity_…` or its own) → our kind of identifier. */
  identities: z.record(z.string(), z.string().regex(/^[a-z][a-z0-9_]{0,39}$/)).default({}),
  /** The appid of the mini program or official account, whose OpenIDs `$identity_mp_openid` are. */
  appId: z.string().min(1).max(64).optional(),
  /** Within what a UnionID is unique; the brand's name unless set. */
  unionScope: z.string().min(1).max(128).optional(),
});
export type SensorsSettings = z.infer<typeof settings>;

const both = ['GET', 'POST'] as const;

/**
 * Sensors 神策: its SDKs, with this host as `server_url`, need no other change. They do not look at the answer, so
 * that whatever comes under a good key is answered with 200 and kept; what is no event is a fault.
 */
export const sensors = channel<SensorsSettings, SdkSecret>({
  name: 'sensors',
  settings,
  secret: keySecret('token'),
  maxBytes: SDK_BYTES,
  routes: { '/sa': both, '/sa.gif': both, '/debug': both },
  cutsFaults: true,
  address: { of: keyOf, keys: ({ keys }) => keys },
  headers: cors,

  /** `Dry-Run`: the developer looks whether the address answers, and wants nothing kept. */
  handshake: ({ headers, path }) =>
    path === '/debug' && headers['dry-run'] === 'true' ? json(200, {}) : undefined,

  verify(request, { secret, settings: { server }, id }) {
    checkKey(keyOf(request), secret, `sensors/${id}`);
    // The key stays out of what is kept.
    const said = formOf(request).filter((field) => !['token', 'project'].includes(nameOf(field) ?? ''));
    return {
      text: said.join('&'),
      envelope: { verified: server ? 'signed' : 'client', topic: request.path.slice(1) },
    };
  },

  decode(text) {
    const form = fieldsIn(text);
    const packed = fieldValue(form, 'data_list') ?? fieldValue(form, 'data');
    if (packed === undefined)
      throw new FaultError('undecodable', 'a form with "data" or "data_list" is what is sent');
    checkCrc(packed, form);
    const said = readJson(unpacked(packed));
    if (isRecord(said) && Object.hasOwn(said, 'ekey'))
      throw new FaultError(
        'undecodable',
        'encrypted by the SDK for its own server: switch its encryption off',
      );
    const records = Array.isArray(said) ? said : [said];
    if (records.length > SDK_BATCH)
      throw new RejectedError('too_large', `at most ${SDK_BATCH} records in a request`, 413);
    return records.map((it) => (isRecord(it) ? without(it) : it));
  },

  read: (record, _envelope, place) => readSensors(record, place),
  reply,
});

/** The fields: of a POST its body's, whatever its content type says, else the query's. */
const formOf = perRequest((request) =>
  fieldsIn(request.body.length > 0 ? openedOr(request, textIn) : request.rawQuery),
);

/** The key: `token`, or `project` of installations that have no tokens, on the address or in the form. */
function keyOf(request: HttpRequest): string | undefined {
  const { query } = request;
  const form = query.token ?? query.project ?? undefined;
  if (form !== undefined || request.body.length === 0) return form;
  const fields = formOf(request);
  return fieldValue(fields, 'token') ?? fieldValue(fields, 'project');
}

/** Java's `String.hashCode` of what was sent, before it is opened: `crc=` beside it, or within `ext`. */
function checkCrc(packed: string, form: readonly string[]): void {
  const said = fieldValue(form, 'crc') ?? fieldValue(fieldsIn(fieldValue(form, 'ext') ?? ''), 'crc') ?? '';
  if (said === '') return;
  let hash = 0;
  for (let i = 0; i < packed.length; i++) hash = (Math.imul(hash, 31) + packed.charCodeAt(i)) | 0;
  if (said !== String(hash))
    throw new FaultError('undecodable', 'the check sum is another: it was cut on its way');
}

/** Base64 of JSON, zipped or not, whatever `gzip=` says. @throws FaultError */
function unpacked(packed: string): string {
  const bytes = fromBase64(packed);
  try {
    return (isGzip(bytes) ? unzipped(bytes) : bytes).toString('utf8');
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    throw new FaultError('undecodable', 'zipped, and cannot be unzipped, or is too long when it is');
  }
}

/** A record without its credential, and without what says when it was sent: it is the same in each retry. */
function without({ token: _, project: __, _flush_time: ___, ...record }: { [name: string]: Json }) {
  return record;
}

/** The smallest picture there is, and text at that: no byte of it is above 127. */
const GIF = 'GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;';

/** A picture where a picture is what loads; in debug mode what was wrong, which the SDK shows its developer. */
function reply({ faults, at }: Outcome, { topic }: { topic?: string }): HttpReply {
  if (topic === 'sa.gif') return { status: 200, headers: { 'content-type': 'image/gif' }, body: GIF };
  if (topic !== 'debug' || faults.length === 0) return json(200, {});
  const wrong = faults.map(({ reason, message }, i) => ({ index: at[i] ?? 0, reason, message }));
  return json(200, { faults: wrong });
}
