import { expect, test } from 'vitest';
import { channels, checkChannels, secretReferences } from '../../lib/channels/registry.ts';
import { sendGeneric, sendTracking } from '../../lib/channels/sign.ts';
import { aBrand, aCapture, NOW, teahouse } from './captured.ts';

test('a brand whose accounts are right can be deployed', () => {
  expect(() => checkChannels(aBrand())).not.toThrow();
  expect(secretReferences(aBrand())).toEqual(['oa', 'pos', 'server', 'web']);
});

test('each fault of a brand’s channels is named by channel, account and setting, all at once', () => {
  const check = () =>
    checkChannels({
      channels: {
        generic: { pos: {} },
        'wechat-oa': {
          main: { appId: 'wx 1', secret: 's' },
          old: { appId: 'wx1', secret: 's', token: 'in clear' },
        },
        weixin: { main: { secret: 's' } },
      },
    });
  expect(check).toThrow('channels.generic.pos: secret:');
  expect(check).toThrow('channels.wechat-oa.main: appId: the appid of the official account');
  expect(check).toThrow(/channels\.wechat-oa\.old: .*token/);
  expect(check).toThrow('channels.weixin: no such channel; there are wechat-oa, ');
});

test('a channel is registered under its own name', () => {
  for (const [name, channel] of Object.entries(channels)) expect(channel.name).toBe(name);
});

test('an account whose secret nobody filled in yet asks its sender to try again, and disturbs no other', async () => {
  const secrets = { 'siyu/qinghe/web': {}, 'siyu/qinghe/pos': { keys: [] } };
  const { send, facts } = aCapture({ secrets });
  const call = JSON.stringify({ event: 'x', userId: 'M1', messageId: 'm' });
  expect((await send(sendTracking('track', call, teahouse.serverKey))).statusCode).toBe(200);
  expect((await send(sendGeneric('pos', '{}', teahouse.whsec, 'm', NOW))).statusCode).toBe(500);
  expect(facts).toMatchObject([
    { what: 'misconfigured', message: expect.stringContaining('the secret of generic/pos') },
  ]);
});
