// Scope: the demo: the same story every time, played through the API at the run's own time, and what it tells.
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { loadBrand } from '../../infra/brands/load.ts';
import { startRun } from '../../infra/local/brand-run.ts';
import { playDemo } from '../../infra/local/demo.ts';
import { sendersOf } from '../../infra/local/demo-accounts.ts';
import { columns, money, widthOf } from '../../infra/local/demo-columns.ts';
import { requestsOf } from '../../infra/local/demo-send.ts';
import { storyOf } from '../../infra/local/demo-story.ts';
import { DAY, MINUTE } from '../../lib/platform/clock.ts';
import { visitorOf } from './visitor.ts';

const noon = Date.parse('2026-11-11T12:00:00+08:00');

test.each(['demo', 'demo-edu'])(
  'the story of %s is the same for the same day, and none of it lies ahead',
  (name) => {
    const brand = loadBrand(name);
    const senders = sendersOf(brand);
    const { steps, members } = storyOf(brand, senders, noon);
    expect(storyOf(brand, senders, noon)).toEqual({ steps, members });
    expect(requestsOf(steps, senders, noon)).toEqual(requestsOf(steps, senders, noon));
    expect(new Set(members).size).toBe(members.length);
    expect(steps.every(({ at }) => at <= noon)).toBe(true);
    expect(steps.length).toBeGreaterThan(2_000);

    // An hour later the same has happened, and a little more: what is told again is not another story.
    const told = new Set(
      storyOf(brand, senders, noon + 60 * MINUTE).steps.map((step) => JSON.stringify(step)),
    );
    expect(steps.filter((step) => !told.has(JSON.stringify(step)))).toEqual([]);
    const tomorrow = storyOf(brand, senders, noon + DAY).members;
    expect(tomorrow.filter((member) => members.includes(member))).toEqual([]);
  },
);

test('a brand that WeChat does not know is told of by the others alone', () => {
  const brand = loadBrand('demo');
  const { 'wechat-oa': _, ...channels } = brand.channels;
  const senders = sendersOf({ ...brand, channels });
  expect(senders.wechat).toBeUndefined();
  const { steps } = storyOf(brand, senders, noon);
  expect(requestsOf(steps, senders, noon).map(({ path }) => path)).not.toContain('/webhooks/wechat-oa/main');
});

test('a column is as wide as a terminal shows it', () => {
  expect(['Gold', '金卡', '高价值（A）', '😀'].map(widthOf)).toEqual([4, 4, 11, 2]);
  expect(
    columns(
      [
        ['金卡', '9'],
        ['x', '10'],
      ],
      'lr',
      '',
    ),
  ).toBe('金卡   9\nx     10\n');
  expect([money(1_234_567, 2), money(1_234_567, 0), money(-5, 3)]).toEqual([
    '12,345.67',
    '1,234,567',
    '-0.005',
  ]);
});

const tags = z.object({ tags: z.array(z.object({ tag: z.string(), profiles: z.int() })) });

test('the demo of a school is played at the time of its clock, and tells what came of it', async () => {
  const run = await startRun({ brand: 'demo-edu', clockAt: Date.parse('2026-11-11T18:00:00Z') });
  try {
    const out = new PassThrough();
    await playDemo(run, out);
    out.end();
    const told = await textOf(out);
    for (const words of [
      '柳叶学堂 Willow Learning, 2026-11-11 18:00',
      'trial_no_enrolment',
      'in GBP',
      'Why is',
      'Whose is enrolment',
      'per million events',
    ])
      expect(told).toContain(words);

    const visitor = visitorOf(run);
    const counts = new Map(
      (await visitor.ask('/tags', tags)).tags.map(({ tag, profiles }) => [tag, profiles]),
    );
    for (const tag of [
      'stage',
      'tier',
      'diligent',
      'stopped_attending',
      'trial_no_enrolment',
      'new_follower',
      'multi_course',
    ])
      expect(counts.get(tag), tag).toBeGreaterThan(0);
    for (const model of run.brand.attribution.models) {
      const { rows, totals } = await visitor.report({ model });
      expect(totals.conversions).toBeGreaterThan(20);
      expect(rows.reduce((sum, { net }) => sum + net, 0)).toBe(totals.net);
      expect(rows.reduce((sum, { ppm }) => sum + ppm, 0)).toBe(totals.conversions * 1_000_000);
    }

    const again = new PassThrough();
    await visitor.clock({ advance: '1m' }); // the first minute notes the rules of the file
    const before = await visitor.digest();
    await playDemo(run, again);
    again.end();
    expect(await textOf(again)).toContain('knows people already');
    expect(await visitor.digest()).toBe(before);
  } finally {
    await run.stop();
  }
}, 180_000); // a machine that does other things too
