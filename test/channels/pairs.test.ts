import { describe, expect, test } from 'vitest';
import { aBrand, aCapture } from './captured.ts';
import { samples } from './pairs.ts';

/** One way to name a member in every account: what the till and the app say of one person meets. */
const { channels } = aBrand();
const scopes = { wechat_unionid: 'wechat_open:qinghe' };
const brand = aBrand({ channels: { ...channels, generic: { pos: { secret: 'pos', scopes } } } });

/** `vitest -u` writes the pairs again after a change that is meant. */
const fileOf = (name: string, part: string) => `../../events/${name}.${part}.json`;
const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

describe('events/: what came in and what we make of it', () => {
  test.each(Object.entries(samples))('%s', async (name, sample) => {
    await expect(pretty(sample)).toMatchFileSnapshot(fileOf(name, 'request'));
    const { send, events, faults, facts } = aCapture({ brand });
    const reply = await send(sample.request);
    const made = { reply: reply.statusCode, events: events(), faults: faults(), told: facts };
    await expect(pretty(made)).toMatchFileSnapshot(fileOf(name, 'events'));
    expect(reply.statusCode).toBe(200);
  });
});
