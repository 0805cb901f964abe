import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadBrand } from '../../../infra/brands/load.ts';
import { type Run, startRun } from '../../../infra/local/brand-run.ts';
import { digestAt } from '../../../infra/local/digest.ts';
import { DAY } from '../../../lib/platform/clock.ts';

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'siyu-data-'));
});
afterAll(() => rm(data, { recursive: true, force: true }));

const brand = loadBrand('demo');
const ask = (run: Run, path: string, key = run.keys.admin) =>
  fetch(`${run.url}${path}`, { headers: { authorization: `Bearer ${key}` } });

test('a brand runs as it is synthesised, and what it knew is there after the next start', {
  timeout: 180_000,
}, async () => {
  const clockAt = Date.parse('2030-11-11T00:00:00+08:00');
  const first = await startRun({ brand, data, clockAt });
  let digest: string;
  try {
    expect(await (await fetch(`${first.url}/healthz`)).json()).toEqual({ status: 'ok', brand: 'demo' });
    expect((await ask(first, '/tags')).status).toBe(200);
    expect((await ask(first, '/tags', 'a key that nobody gave')).status).toBe(401);

    const sent = await fetch(`${first.url}/v1/track`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        writeKey: 'development_demo_server',
        type: 'track',
        userId: 'm-1',
        messageId: 'one',
        event: 'Product Viewed',
        properties: { product_id: 'serum' },
        timestamp: new Date(first.clock.now()).toISOString(),
      }),
    });
    expect(sent.status).toBe(200);
    await first.idle();
    await first.clock.walkTo(clockAt + DAY);
    const seen = await digestAt(first.url);
    expect(seen).toMatchObject({ profiles: 1, events: 1 });
    digest = seen.digest;
  } finally {
    await first.stop();
  }

  const second = await startRun({ brand, data });
  try {
    expect((await digestAt(second.url)).digest).toBe(digest);
    expect(second.clock.now()).toBeGreaterThanOrEqual(clockAt + DAY);
  } finally {
    await second.stop();
  }
});

test('a brand without keys of its own gets one of each role, new in every run', {
  timeout: 180_000,
}, async () => {
  const run = await startRun({ brand: { ...loadBrand('demo-edu'), local: undefined } });
  try {
    for (const [role, key] of Object.entries(run.keys))
      expect((await ask(run, '/tags', key)).status, role).toBe(role === 'analyst' ? 403 : 200);
    expect(new Set(Object.values(run.keys)).size).toBe(4);
  } finally {
    await run.stop();
  }
});
