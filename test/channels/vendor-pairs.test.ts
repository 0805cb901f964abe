// Scope: events/, for each vendor that test/channels/vendors/ can play. A pair's source of truth is `message`; the
// request is what the vendor's signer makes of it. To add one: write `at`, `channel`, `account`, `about`, `message`
// into events/<channel>/<case>.request.json and run this file with `-u`.
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { aBrand, aCapture } from './captured.ts';
import { vendors } from './vendors/index.ts';

const sample = z.object({
  at: z.iso.datetime(),
  channel: z.string(),
  account: z.string(),
  about: z.record(z.string(), z.string()).default({}),
  message: z.string(),
});

const root = fileURLToPath(new URL('../../events/', import.meta.url));
const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

describe.each(Object.entries(vendors))('events/%s', (channel, vendor) => {
  const brand = aBrand({ channels: { [channel]: vendor.accounts } });
  const secrets = Object.fromEntries(
    Object.entries(vendor.secrets).map(([name, held]) => [`siyu/${brand.name}/${name}`, held]),
  );
  const names = globSync('*.request.json', { cwd: `${root}${channel}` }).sort();

  test('has pairs', () => {
    expect(names).not.toEqual([]);
  });

  test.each(names.map((file) => file.replace('.request.json', '')))('%s', async (name) => {
    const path = `../../events/${channel}/${name}`;
    const said = sample.parse(JSON.parse(readFileSync(`${root}${channel}/${name}.request.json`, 'utf8')));
    const now = Date.parse(said.at);
    const request = vendor.sign({ ...said, now, nonce: basename(name) });
    await expect(pretty({ ...said, request })).toMatchFileSnapshot(`${path}.request.json`);
    const { send, events, faults, facts } = aCapture({ brand, secrets, now });
    const { statusCode, body } = await send(request);
    const made = { reply: statusCode, body, events: events(), faults: faults(), told: facts };
    await expect(pretty(made)).toMatchFileSnapshot(`${path}.events.json`);
    expect(statusCode).toBeLessThan(300);
  });
});
