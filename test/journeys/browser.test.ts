// Scope: SDKs of browsers, as their makers publish them, in a real browser: a page of another site loads them, our host
// fails at first, and what the page did is events, each once.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../../lib/events/event.ts';
import { aBrand, aCapture, listening, teahouse } from '../channels/captured.ts';
import { posthog, posthogKeys } from '../channels/vendors/posthog.ts';
import { sensors, sensorsTokens } from '../channels/vendors/sensors.ts';

const CHROMIUM = '/usr/bin/chromium';
const hasChromium = existsSync(CHROMIUM);
const without = hasChromium ? '' : ` (skipped: ${CHROMIUM} is not installed)`;

const brand = aBrand({
  channels: {
    segment: { web: { secret: 'web' } },
    posthog: posthog.accounts,
    sensors: sensors.accounts,
  },
});
const secrets = Object.fromEntries(
  Object.entries({ ...posthog.secrets, ...sensors.secrets }).map(([name, held]) => [
    `siyu/qinghe/${name}`,
    held,
  ]),
);

/** A package's browser script under one global name, as a shop's bundler makes it. */
async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

let site: Server;
let shop = '';
let browser: Browser;
const scripts = new Map<string, string>();

beforeAll(async () => {
  if (!hasChromium) return;
  scripts.set(
    '/segment.js',
    await bundled(
      `import { AnalyticsBrowser } from '@segment/analytics-next'; window.AnalyticsBrowser = AnalyticsBrowser;`,
    ),
  );
  scripts.set('/posthog.js', await bundled(`import posthog from 'posthog-js'; window.posthog = posthog;`));
  const found = createRequire(import.meta.url).resolve('sa-sdk-javascript');
  scripts.set('/sensors.js', readFileSync(found, 'utf8'));
  site = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '/';
    const script = scripts.get(path);
    response.setHeader(
      'content-type',
      script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8',
    );
    const loaded = path.replace(/^\/page/, '');
    response.end(
      script ?? `<!doctype html><title>龙井</title><h1>龙井</h1><script src="${loaded}.js"></script>`,
    );
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const address = site.address();
  shop = `http://localhost:${typeof address === 'object' ? address?.port : 0}`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  site?.close();
});

/** Capture behind a port; the first request that brings events is answered 500, with nothing queued. */
async function ourHost() {
  const captured = aCapture({ brand, secrets });
  let failed = 0;
  const { url, close } = await listening(async (request) => {
    captured.world.now = Date.now();
    captured.world.queueFails = failed === 0;
    const headers = { ...request.headers, 'x-forwarded-proto': 'http' }; // as the gateway says
    const reply = await captured.send({ ...request, headers });
    if (reply.statusCode === 500) failed++;
    return reply;
  });
  return { ...captured, url, close, failures: () => failed };
}

/** Opens a page of the shop, runs `script` in it, and waits until `types` have arrived. */
async function visit(
  page: string,
  script: string,
  host: Awaited<ReturnType<typeof ourHost>>,
  types: readonly string[],
): Promise<Event[]> {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`${shop}/page/${page}?utm_source=douyin&utm_campaign=autumn`);
  await tab.evaluate(script);
  await expect
    .poll(() => types.every((type) => host.events().some((event) => event.type === type)), {
      timeout: 40_000,
    })
    .toBe(true);
  await context.close();
  return host.events();
}

const once = (events: readonly Event[]) =>
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
const ofType = (events: readonly Event[], type: string) => events.filter((event) => event.type === type);

describe.skipIf(!hasChromium)(`in a browser${without}`, () => {
  test('analytics.js: told of our host alone, it sends there what the page does, once', async () => {
    const host = await ourHost();
    const events = await visit(
      'segment',
      `(async () => {
        const analytics = AnalyticsBrowser.load({ writeKey: '${teahouse.webKey}', cdnURL: '${host.url}' });
        await analytics.page('Tea');
        await analytics.track('Product Viewed', { product_id: 'LJ-50', price: 278 });
        await analytics.identify('M1', { city: '上海' });
      })()`,
      host,
      ['page_viewed', 'product_viewed', 'identity_linked'],
    );
    await host.close();
    expect([host.failures(), host.faults()]).toEqual([1, []]);
    once(events);
    expect(events).toHaveLength(3);
    const [page] = ofType(events, 'page_viewed');
    expect(page).toMatchObject({
      source: { channel: 'segment', account: 'web' },
      // It was tried again after the visitor had become known, and then says so.
      identifiers: expect.arrayContaining([expect.objectContaining({ kind: 'anonymous_id' })]),
      context: {
        campaign: { source: 'douyin', name: 'autumn' },
        page: { title: '龙井' },
        verified: 'client',
      },
    });
    expect(ofType(events, 'identity_linked')).toMatchObject([
      {
        identifiers: [{ kind: 'member_id', value: 'M1' }, page?.identifiers.at(-1)],
        traits: { city: '上海' },
      },
    ]);
  });

  test('posthog-js: it starts, asks its questions, and sends what the page does, once', async () => {
    const host = await ourHost();
    const events = await visit(
      'posthog',
      `posthog.init('${posthogKeys.web}', {
        api_host: '${host.url}', ui_host: '${host.url}', opt_out_useragent_filter: true, capture_pageview: true,
      });
      posthog.capture('Product Viewed', { product_id: 'LJ-50', price: 278 });
      setTimeout(() => posthog.identify('M1', { city: '上海' }, { first_store: 's-21' }), 500);`,
      host,
      ['page_viewed', 'product_viewed', 'identity_linked'],
    );
    await host.close();
    expect([host.failures(), host.faults()]).toEqual([1, []]);
    once(events);
    const [page] = ofType(events, 'page_viewed');
    expect(page).toMatchObject({
      source: { channel: 'posthog', account: 'web' },
      identifiers: [{ kind: 'anonymous_id' }],
      context: { campaign: { source: 'douyin', name: 'autumn' }, page: { path: '/page/posthog' } },
    });
    expect(ofType(events, 'identity_linked')).toMatchObject([
      {
        identifiers: [{ kind: 'member_id', value: 'M1' }, page?.identifiers[0]],
        traits: { city: '上海' },
        traitsOnce: { first_store: 's-21' },
      },
    ]);
    expect(ofType(events, 'product_viewed')).toHaveLength(1);
  });

  test('the SDK of Sensors, in batches: what it keeps until we answer is sent again, and is there once', async () => {
    const host = await ourHost();
    const events = await visit(
      'sensors',
      `const sensors = window.sensorsDataAnalytic201505;
      sensors.init({
        server_url: '${host.url}/sa?project=qinghe&token=${sensorsTokens.web}', show_log: false,
        heatmap: false, batch_send: { send_interval: 300, datasend_timeout: 6000, storage_length: 200 },
      });
      sensors.quick('autoTrack');
      sensors.track('ProductViewed', { product_id: 'LJ-50', price: 278, seen: new Date() });
      sensors.login('M1');
      sensors.setProfile({ city: '上海' });
      sensors.setOnceProfile({ first_store: 's-21' });`,
      host,
      ['page_viewed', 'product_viewed', 'identity_linked', 'profile_updated'],
    );
    await host.close();
    expect([host.failures(), host.faults()]).toEqual([1, []]);
    const ids = new Map(events.map((event) => [event.id, event]));
    const distinct = [...ids.values()];
    const [page] = ofType(distinct, 'page_viewed');
    expect(page).toMatchObject({
      source: { channel: 'sensors', account: 'web' },
      identifiers: [{ kind: 'anonymous_id' }],
      context: {
        campaign: { source: 'douyin', name: 'autumn' },
        page: { path: '/page/sensors', title: '龙井' },
      },
    });
    expect(ofType(distinct, 'page_viewed')).toHaveLength(1);
    expect(ofType(distinct, 'product_viewed')).toHaveLength(1);
    expect(ofType(distinct, 'identity_linked')).toMatchObject([
      { identifiers: [{ kind: 'member_id', value: 'M1' }, page?.identifiers[0]] },
    ]);
  });

  test('the SDK of Sensors, by pictures: each is loaded, and is an event', async () => {
    const host = await ourHost();
    host.world.queueFails = false;
    const first = await fetch(`${host.url}/sa.gif?token=${sensorsTokens.web}&data=eA`);
    expect(first.status).toBe(500); // the one failure: pictures are not tried again
    const events = await visit(
      'sensors',
      `const sensors = window.sensorsDataAnalytic201505;
      sensors.init({
        server_url: '${host.url}/sa?project=qinghe&token=${sensorsTokens.web}',
        show_log: false, heatmap: false, send_type: 'image',
      });
      sensors.track('tea_tasted', { cup: '龙井 & >>>>> +' });
      new Promise((done, wrong) => {
        const picture = new Image();
        picture.onload = () => { sensors.track('picture_loaded'); done(); };
        picture.onerror = wrong;
        picture.src = '${host.url}/sa.gif?token=${sensorsTokens.web}&data=';
      })`,
      host,
      ['tea_tasted', 'picture_loaded'],
    );
    await host.close();
    expect(ofType(events, 'tea_tasted')).toMatchObject([{ properties: { cup: '龙井 & >>>>> +' } }]);
  });
});
