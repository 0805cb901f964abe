// Write units of the profile per event and batch, over months of the demo brand.
import { loadBrand } from '../infra/brands/load.ts';
import { sendersOf } from '../infra/local/demo-accounts.ts';
import { requestsOf } from '../infra/local/demo-send.ts';
import { storyOf } from '../infra/local/demo-story.ts';
import type { SentRequest } from '../lib/channels/sign.ts';
import { eventsMessage } from '../lib/events/event.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { HOUR } from '../lib/platform/clock.ts';
import { dice } from './dice.ts';
import { atMost, type Figure, type Measured } from './figure.ts';
import { type ItemSize, sizeOf } from './item-size.ts';
import { bySecond, lives } from './life.ts';
import type { Call } from './metered.ts';
import { mean, quantile } from './numbers.ts';
import { customers } from './people.ts';
import { openPipeline } from './pipeline.ts';
import { senders } from './requests.ts';
import { whereUnitsGo } from './where.ts';

const PEOPLE = 150;
const FROM = Date.parse('2026-08-01T00:00:00+08:00');
/** Every so many-th put is taken apart. */
const SAMPLE = 4;

/** What reaches the brand within one second: the time in which a batch fills up. */
interface Second {
  readonly at: number;
  readonly requests: readonly SentRequest[];
}

export const profileUnits: Figure = {
  name: 'profile-units',
  kind: 'count',
  async measure() {
    const brand = loadBrand('demo');
    const demo = await measureLife('the demo', brand, demoStory(brand));
    const tailed = await measureLife('long-tailed', brand, longTailed(brand));
    return { rows: [...demo.rows, ...tailed.rows], details: [...demo.details, ...tailed.details] };
  },
};

/** What `npm start` plays, each step as its vendor sends it, when it happened. */
function* demoStory(brand: Brand): Generator<Second> {
  const senders = sendersOf(brand);
  const { steps } = storyOf(brand, senders, FROM + 12 * HOUR);
  for (const { at, done } of bySecond(steps.map((step) => ({ at: step.at, step }))))
    yield { at, requests: done.flatMap(({ step }) => requestsOf([step], senders, at)) };
}

/** Customers of whom a few are known by hundreds of events. */
function* longTailed(brand: Brand): Generator<Second> {
  const d = dice(7);
  const send = senders(brand);
  for (const { at, done } of bySecond(lives(customers(PEOPLE, d), FROM, d)))
    yield { at, requests: done.map((it) => send.single(it.act, at)) };
}

async function measureLife(name: string, brand: Brand, seconds: Iterable<Second>): Promise<Measured> {
  const sizes: ItemSize[] = [];
  let puts = 0;
  const pipeline = openPipeline({
    brand,
    onPut(item) {
      if (!item.pk.startsWith('P#') || item.sk !== '@' || ++puts % SAMPLE > 0) return;
      const size = sizeOf(item);
      if (size) sizes.push(size);
    },
  });
  const stages: Record<'profile' | 'attribution' | 'tags', Call[]> = {
    profile: [],
    attribution: [],
    tags: [],
  };
  let events = 0;
  let hour: number | undefined;
  for (const { at, requests } of seconds) {
    hour ??= at;
    for (; hour + HOUR < at; hour += HOUR) {
      pipeline.at(hour + HOUR);
      stages.tags.push(...(await pipeline.tick()).calls);
      stages.attribution.push(...(await pipeline.conversions()).calls);
    }
    pipeline.at(at);
    const bodies = await pipeline.capture(requests);
    events += bodies.reduce((sum, body) => sum + eventsMessage.parse(JSON.parse(body)).events.length, 0);
    stages.profile.push(...(await pipeline.events(bodies)).calls);
  }

  const units = stages.profile
    .filter(({ operation, rows }) => operation === 'put' && rows === 'P#@')
    .map(({ writeUnits }) => writeUnits);
  const tags = stages.tags.filter(({ operation }) => operation !== 'due'); // asked by the hour, not by the event
  return {
    rows: [
      atMost(`profile write units per event and batch, ${name}, median`, quantile(units, 0.5), 1, String),
      atMost(`profile write units per event and batch, ${name}, p99`, quantile(units, 0.99), 4, String, {
        mean: mean(units),
      }),
    ],
    details: [
      `${name}: ${events} events, batches of one second (${(events / units.length).toFixed(2)} events a write); mean ${mean(units).toFixed(2)} units`,
      'units per event, customers becoming known included:',
      ...whereUnitsGo('profile', stages.profile, events),
      ...whereUnitsGo('attribution', stages.attribution, events),
      ...whereUnitsGo('tags', tags, events),
      `bytes of the profile's row, ${sizes.length} of them; a part's bytes are those that the row would be shorter without it:`,
      ...sizeLines(sizes),
    ],
  };
}

function sizeLines(sizes: readonly ItemSize[]): string[] {
  const line = (name: string, of: (size: ItemSize) => number) => {
    const values = sizes.map(of);
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => String(quantile(values, share)).padStart(5));
    return `${name.padEnd(44)} mean ${mean(values).toFixed(0).padStart(5)}  p50 ${p50}  p90 ${p90}  p99 ${p99}`;
  };
  return [
    line('row', (it) => it.row),
    line('compressed state', (it) => it.state),
    line('identifiers (number)', (it) => it.identifiers),
    line('events in the tail (number)', (it) => it.tailEvents),
    ...[...new Set(sizes.flatMap((it) => Object.keys(it.parts)))].map((part) =>
      line(part, (it) => it.parts[part] ?? 0),
    ),
  ];
}
