// What it costs to share a million paths by every rule and by removal effects.

import { markov } from '../lib/attribution/markov.ts';
import { pathCounter, sizeOf } from '../lib/attribution/paths.ts';
import { pathRules, shareByRule } from '../lib/attribution/paths-rules.ts';
import { shareConversion } from '../lib/attribution/share.ts';
import { attributionSettings } from '../lib/platform/brand.ts';
import { dice } from './dice.ts';
import { atMost, type Figure, type Measured } from './figure.ts';
import { median } from './numbers.ts';

const PATHS = 1_000_000;
const CHANNELS = 20;
const MEAN_LENGTH = 4;
const LONGEST = 60;
const CONVERTING = 0.1;
const BAR_MS = 3_000;
/** One order of so many touches in all models of single orders, and what that may take. */
const TOUCHES = 20;
const ORDERS = 4_000;
const BAR_US = 100;
/** Measured so many times, after once to warm up: the median counts. */
const TIMES = 3;

export const paths: Figure = {
  name: 'paths',
  kind: 'time',
  measure: async (): Promise<Measured> => {
    const rows = aMillion();
    const [, ...runs] = Array.from({ length: TIMES + 1 }, () => shareAll(rows));
    const of = (part: keyof (typeof runs)[number]) => median(runs.map((it) => it[part]));
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
    const whole = median(runs.map(({ count, rules, chain }) => count + rules + chain));
    return {
      rows: [
        atMost('CPU of 1 M paths in all rule models and Markov order 1', whole, BAR_MS, seconds, {
          countMs: of('count'),
          rulesMs: of('rules'),
          markovMs: of('chain'),
        }),
        atMost(
          `CPU of sharing an order of ${TOUCHES} touches in all models`,
          perOrder(),
          BAR_US,
          (us) => `${us.toFixed(0)} µs`,
        ),
      ],
      details: [
        `user + system CPU of the process from channel numbers to credits, median of ${TIMES} after one to warm up`,
        `${PATHS} paths of ${CHANNELS} channels, ${(rows.steps.length / PATHS).toFixed(1)} touches on average, ${of('distinct')} distinct`,
        `counting distinct paths ${seconds(of('count'))}, ${pathRules.length} rules ${seconds(of('rules'))}, removal effects ${seconds(of('chain'))}`,
      ],
    };
  },
};

/** Microseconds an order: the median of a few runs after one to warm up. */
function perOrder(): number {
  const settings = attributionSettings.parse({});
  const begin = Date.UTC(2026, 10, 1);
  const touches = Array.from({ length: TOUCHES }, (_, i) => ({
    eventId: `e${i}`,
    type: i % 3 === 0 ? 'contact_added' : 'page_viewed',
    at: new Date(begin + i * 97_531_234).toISOString(),
    channel: `channel ${i % 5}`,
    role: i % 3 === 0 ? ('indirect' as const) : ('latent' as const),
    opportunity: i === 7,
  }));
  const order = { at: '2026-11-28T10:00:00.000Z', day: '2026-11-28', refunded: 0, tier: 'vip' as const };
  const [, ...runs] = Array.from({ length: TIMES + 1 }, () => {
    const before = cpuMs();
    for (let i = 0; i < ORDERS; i++) shareConversion({ ...order, value: 19_999 + i }, { touches }, settings);
    return ((cpuMs() - before) * 1000) / ORDERS;
  });
  return median(runs);
}

/** Paths one after the other, and where each begins. */
function aMillion() {
  const d = dice(17);
  const steps: number[] = [];
  const starts = [0];
  for (let i = 0; i < PATHS; i++) {
    let length = 1;
    while (length < LONGEST && d.chance(1 - 1 / MEAN_LENGTH)) length++;
    // The square favours the first channels, as real ones are: most contacts are of few kinds.
    for (let j = 0; j < length; j++) steps.push(Math.floor(d.next() ** 2 * CHANNELS));
    starts.push(steps.length);
  }
  const converts = Uint8Array.from({ length: PATHS }, () => Number(d.chance(CONVERTING)));
  return { steps: Uint32Array.from(steps), starts, converts };
}

function shareAll({ steps, starts, converts }: ReturnType<typeof aMillion>) {
  const settings = attributionSettings.parse({});
  const begin = cpuMs();
  const counter = pathCounter();
  for (let channel = 0; channel < CHANNELS; channel++) counter.numberOf(`channel ${channel}`);
  for (let i = 0; i < PATHS; i++) {
    const conversions = converts[i]!;
    counter.add(steps.subarray(starts[i], starts[i + 1]), {
      conversions,
      value: conversions * 19_900,
      nulls: 1 - conversions,
    });
  }
  const counted = counter.counted();
  const afterCount = cpuMs();
  for (const rule of pathRules) shareByRule(counted, rule, settings);
  const afterRules = cpuMs();
  markov(counted);
  return {
    count: afterCount - begin,
    rules: afterRules - afterCount,
    chain: cpuMs() - afterRules,
    distinct: sizeOf(counted),
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
