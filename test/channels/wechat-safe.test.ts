import { describe, expect, test } from 'vitest';
import WXBizMsgCrypt from 'wechat-crypto';
import { wechatDecrypt, wechatEncrypt, wechatSignature } from '../../lib/channels/wechat-crypto.ts';
import { openSafe, type SafeMode, type Signed, sealedIn } from '../../lib/channels/wechat-safe.ts';
import { NOW } from './captured.ts';
import { reasonOf } from './played.ts';

const key = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
const other = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg';
const mode: SafeMode = { name: 'x/main', tokens: ['t1'], aesKeys: [key], receiveIds: ['corp1'] };

const sealed = (message: string, to = 'corp1', by = key, random = Buffer.alloc(16, 7)) =>
  wechatEncrypt(by, message, to, random);

const signed = (content: string, over: { token?: string; timestamp?: string } = {}): Signed => {
  const { token = 't1', timestamp = String(NOW / 1000) } = over;
  return { signature: wechatSignature(token, timestamp, 'n', content), timestamp, nonce: 'n' };
};

const opening = (content: string, by: Signed, over: Partial<SafeMode> = {}, now = NOW) =>
  reasonOf(() => openSafe(content, by, { ...mode, ...over }, now));

describe('safe mode, whoever speaks it', () => {
  test('opens to the text, its receiver and its signed time', () => {
    const content = sealed('茶');
    expect(openSafe(content, signed(content), mode, NOW)).toEqual({
      text: '茶',
      receiveId: 'corp1',
      sentAt: NOW,
      // A vendor that wants a sealed answer gets it under the same pair.
      token: 't1',
      aesKey: key,
    });
  });

  test('one bit of ciphertext, token, time or receiver is enough to be refused', () => {
    const content = sealed('x');
    const bit = content.replace(/^./, (it) => (it === 'A' ? 'B' : 'A'));
    expect(opening(bit, signed(content))).toBe('401 bad_signature');
    expect(opening(content, signed(content, { token: 't2' }))).toBe('401 bad_signature');
    expect(opening(content, { ...signed(content), timestamp: String(NOW / 1000 + 1) })).toBe(
      '401 bad_signature',
    );
    expect(opening(content, { ...signed(content), nonce: 'm' })).toBe('401 bad_signature');
    expect(opening(content, { ...signed(content), signature: undefined })).toBe('401 bad_signature');
    expect(opening(content, signed(content), { receiveIds: ['corp2'] })).toBe('401 receive_id_mismatch');
    expect(opening(content, signed(content), { aesKeys: [other] })).toBe('401 bad_ciphertext');
    expect(opening(content, signed(content), { aesKeys: [] })).toBe('401 bad_ciphertext');
    expect(opening('', signed(''))).toBe('401 bad_ciphertext');
  });

  test('the signed time may lie 300 s from ours, either way, and no second more', () => {
    const content = sealed('x');
    for (const [seconds, result] of [
      [300, 'opened'],
      [301, '401 timestamp_out_of_window'],
    ] as const) {
      expect(opening(content, signed(content), {}, NOW + seconds * 1000)).toBe(result);
      expect(opening(content, signed(content), {}, NOW - seconds * 1000)).toBe(result);
    }
    expect(opening(content, signed(content, { timestamp: '' }))).toBe('401 timestamp_out_of_window');
  });

  test('a signed time in milliseconds keeps them, and seconds are not taken for them', () => {
    const content = sealed('x');
    const inMs = signed(content, { timestamp: String(NOW + 7) });
    expect(openSafe(content, inMs, { ...mode, unit: 'milliseconds' }, NOW).sentAt).toBe(NOW + 7);
    expect(opening(content, inMs)).toBe('401 timestamp_out_of_window');
    expect(opening(content, signed(content), { unit: 'milliseconds' })).toBe('401 timestamp_out_of_window');
  });

  test('while a token and a key are rotated both are live', () => {
    const [old, fresh] = [sealed('x'), sealed('x', 'corp1', other)];
    const both = { tokens: ['t2', 't1'], aesKeys: [other, key] };
    expect(opening(old, signed(old), both)).toBe('opened');
    expect(opening(fresh, signed(fresh, { token: 't2' }), both)).toBe('opened');
  });

  test('one of several receivers, or none at all, where that is agreed', () => {
    const [named, nameless] = [sealed('x'), sealed('x', '')];
    expect(opening(named, signed(named), { receiveIds: ['suite1', 'corp1'] })).toBe('opened');
    expect(opening(nameless, signed(nameless), { receiveIds: [''] })).toBe('opened');
    expect(opening(nameless, signed(nameless))).toBe('401 receive_id_mismatch');
    expect(opening(named, signed(named), { receiveIds: [''] })).toBe('401 receive_id_mismatch');
  });

  test('where 32 random bytes stand before the length, the text is found behind them', () => {
    const content = sealed('茶', 'corp1', key, Buffer.alloc(32, 7));
    expect(openSafe(content, signed(content), { ...mode, prefixBytes: 32 }, NOW).text).toBe('茶');
    expect(opening(content, signed(content))).not.toBe('opened');
    expect(wechatDecrypt(key, content, 32)).toEqual({ message: '茶', receiveId: 'corp1' });
  });

  test('the ciphertext is taken from XML or JSON as it came, blanks and all', () => {
    expect(sealedIn(Buffer.from('<xml><Encrypt><![CDATA[ a+b= ]]></Encrypt></xml>'))).toBe(' a+b= ');
    expect(sealedIn(Buffer.from('{"Encrypt":"a+b="}'))).toBe('a+b=');
    expect(sealedIn(Buffer.from('{"encrypt":"a"}'), 'encrypt')).toBe('a');
    expect(sealedIn(Buffer.from('{"Encrypt":{"a":1}}'))).toBe('');
  });

  test('a body that is no envelope is refused before anything is decrypted', () => {
    const refused = (body: string) => reasonOf(() => sealedIn(Buffer.from(body)));
    expect(refused('<!DOCTYPE a><xml/>')).toBe('400 doctype_forbidden');
    for (const body of ['', '[]', 'null', '"x"', '7', '<xml>', '{', '<xml a="1"></xml>'])
      expect(refused(body)).toBe('400 bad_body');
    expect(refused('<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>')).toBe('400 bad_body');
  });

  test('what the package wechat-crypto seals opens, and it opens ours', () => {
    const client = new WXBizMsgCrypt('t1', key, 'corp1');
    const content = client.encrypt('{"茶":1}');
    const timestamp = String(NOW / 1000);
    const by = { signature: client.getSignature(timestamp, 'n', content), timestamp, nonce: 'n' };
    expect(openSafe(content, by, mode, NOW).text).toBe('{"茶":1}');
    expect(client.decrypt(sealed('茶'))).toEqual({ message: '茶', id: 'corp1' });
  });
});
