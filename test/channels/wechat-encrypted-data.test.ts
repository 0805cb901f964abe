import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openEncryptedData } from '../../lib/channels/wechat-encrypted-data.ts';
import { RejectedError } from '../../lib/platform/errors.ts';
import { hasShared, NOW, without } from './captured.ts';
import { reasonOf } from './played.ts';
import { vectorsOf } from './published.ts';

const sessionKey = Buffer.alloc(16, 3).toString('base64');
const iv = Buffer.alloc(16, 5).toString('base64');
const appId = 'wxqh0000minip0001';

function sealed(text: string) {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), Buffer.from(iv, 'base64'));
  return { encryptedData: Buffer.concat([cipher.update(text), cipher.final()]).toString('base64'), iv };
}
const watermarked = (timestamp: number, appid = appId) =>
  sealed(JSON.stringify({ phoneNumber: '13800138000', watermark: { timestamp, appid } }));

describe('encryptedData of a mini program', () => {
  test('opens with the session key of the customer', () => {
    const data = openEncryptedData(watermarked(NOW / 1000), sessionKey, appId, NOW);
    expect(data.phoneNumber).toBe('13800138000');
  });

  test('is worth nothing for another app, or after 300 s', () => {
    const opening = (seconds: number, appid?: string) =>
      reasonOf(() => openEncryptedData(watermarked(NOW / 1000 + seconds, appid), sessionKey, appId, NOW));
    expect(opening(0, 'wxother')).toBe('401 receive_id_mismatch');
    expect([-301, -300, 300, 301].map((seconds) => opening(seconds))).toEqual([
      '401 timestamp_out_of_window',
      'opened',
      'opened',
      '401 timestamp_out_of_window',
    ]);
  });

  test('whatever else may come is a refusal', () => {
    const opening = (data: { encryptedData: string; iv: string }, key = sessionKey) =>
      reasonOf(() => openEncryptedData(data, key, appId, NOW));
    const good = watermarked(NOW / 1000);
    expect(opening(good, Buffer.alloc(16, 4).toString('base64'))).toBe('401 bad_ciphertext');
    for (const data of [
      { ...good, iv: '' },
      { ...good, encryptedData: '' },
      { ...good, encryptedData: 'AAAA' },
    ])
      expect(opening(data)).toBe('401 bad_ciphertext');
    expect(opening(good, '')).toBe('401 bad_ciphertext');
    expect(opening(sealed('not json'))).toBe('401 bad_json');
    expect(opening(sealed('[]'))).toBe('401 bad_json');
    for (const text of ['{}', '{"watermark":[]}', '{"watermark":{}}'])
      expect(opening(sealed(text))).toBe('401 receive_id_mismatch');
    expect(opening(sealed(`{"watermark":{"appid":"${appId}"}}`))).toBe('401 timestamp_out_of_window');
  });

  test('a refusal says nothing of what was inside', () => {
    const work = () => openEncryptedData(watermarked(1), sessionKey, appId, NOW);
    expect(work).toThrow(RejectedError);
    expect(work).not.toThrow('138');
  });
});

const vector = z.object({
  id: z.string(),
  inputs: z.object({ key_b64: z.string(), iv_b64: z.string(), ciphertext_b64: z.string() }),
  expected: z.object({
    json_subset: z.looseObject({ watermark: z.object({ timestamp: z.number(), appid: z.string() }) }),
  }),
});
const vectors = vectorsOf('wechat-oa', 'aes_cbc_decrypt').map((it) => vector.parse(it));

describe.skipIf(!hasShared)(`published vectors of encryptedData${without}`, () => {
  test.each(vectors)('$id opens to what WeChat says', ({ inputs, expected: { json_subset: inside } }) => {
    const data = { encryptedData: inputs.ciphertext_b64, iv: inputs.iv_b64 };
    const { appid, timestamp } = inside.watermark;
    const at = timestamp * 1000;
    expect(openEncryptedData(data, inputs.key_b64, appid, at)).toMatchObject(inside);
    expect(() => openEncryptedData(data, inputs.key_b64, `${appid}0`, at)).toThrow();
    expect(() => openEncryptedData(data, inputs.key_b64, appid, at + 301_000)).toThrow();
    const altered = { ...data, encryptedData: data.encryptedData.replace(/^./, 'D') };
    expect(() => openEncryptedData(altered, inputs.key_b64, appid, at)).toThrow();
  });
});
