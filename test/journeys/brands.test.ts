// Scope: a brand from a file, that nobody here has seen.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRun } from '../../infra/local/brand-run.ts';
import { visitorOf } from './visitor.ts';

test('a brand from a file runs with its own time zone, currency, rules, conversions and keys', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'siyu-brand-'));
  const file = join(folder, 'harbour.json');
  const key = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  await writeFile(
    file,
    JSON.stringify({
      name: 'harbour',
      title: { zh: '海港咖啡', en: 'Harbour Coffee' },
      timezone: 'America/New_York',
      locale: 'en-US',
      currency: 'USD',
      channels: {
        generic: { pos: { secret: 'pos' } },
        'wechat-oa': { main: { appId: 'wxharbour00000001', secret: 'oa' } },
      },
      conversions: [{ goal: 'cup', event: 'cup_sold', key: 'cup_id', value: 'paid_amount' }],
      rules: [
        { tag: 'coffee_lover', when: 'events("cup_sold").within("7d").count() >= 2' },
        { tag: 'caffeinated', when: 'events("cup_sold").within("6h").any()' },
      ],
      local: {
        secrets: {
          pos: { keys: [key] },
          oa: { token: 'token-of-harbour', encodingAesKey: 'JCgQepyMM5NeC1ffkZSTbrRx1hYKOaZa0ubwUX1cuBo' },
        },
        keys: { operator: 'harbour-operator-1', admin: 'harbour-admin-0001' },
      },
    }),
  );
  const run = await startRun({ brandFile: file, clockAt: Date.parse('2026-03-08T01:00:00-05:00') });
  try {
    const visitor = visitorOf(run);
    expect(run.keys.admin).toBe('harbour-admin-0001');
    expect(await (await fetch(`${run.url}/healthz`)).json()).toEqual({ status: 'ok', brand: 'harbour' });
    await visitor.tell({
      batch: [21, 22].map((hour) => ({
        type: 'cup.sold',
        timestamp: `2026-03-07T${hour}:00:00-05:00`,
        data: {
          cup_id: `c-${hour}`,
          paid_amount: 450,
          currency: 'USD',
          customer_id: 'C-1',
          utm: { source: 'radio' },
        },
      })),
    });
    await visitor.settled();
    const profile = await visitor.profile('customer_id', 'C-1');
    expect(Object.keys(profile.tags)).toEqual(['caffeinated', 'coffee_lover']);
    // The sixth hour after the last cup, in the night in which clocks are set forward: hours are hours.
    expect(profile.nextChangeAt).toBe('2026-03-08T09:00:00.000Z');
    const { totals, currency } = await visitor.report({ model: 'linear' });
    expect([currency, totals]).toMatchObject(['USD', { conversions: 2, net: 900 }]);

    await visitor.clock({ to: '2026-03-13T23:59:00-04:00' });
    expect(Object.keys((await visitor.profile('customer_id', 'C-1')).tags)).toEqual(['coffee_lover']);
    await visitor.clock({ to: '2026-03-14T00:01:00-04:00' }); // seven brand-days after the seventh of March, one of 23 hours
    expect((await visitor.profile('customer_id', 'C-1')).tags).toEqual({});
  } finally {
    await run.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
