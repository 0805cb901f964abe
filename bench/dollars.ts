// What a million events cost, by the run's ledger: counted requests and units × the price list.
import { loadBrand } from '../infra/brands/load.ts';
import { type Run, startRun } from '../infra/local/brand-run.ts';
import type { LedgerReport } from '../infra/local/ledger.ts';
import { DAY } from '../lib/platform/clock.ts';
import { acquaint } from './acquaintance.ts';
import { type Act, act } from './acts.ts';
import { type Dice, dice } from './dice.ts';
import { atMost, type Figure, type Measured } from './figure.ts';
import { median } from './numbers.ts';
import { type Customer, customers } from './people.ts';
import { senders } from './requests.ts';
import { post, stream } from './sending.ts';

const PEOPLE = 400;
const PAST = 15;
/** Acts of one customer on the measured day: a visit or two. */
const A_DAY = 5;
const TEN = 10;
/** Seconds' worth of requests that are sent one after the other, to see what an invocation takes when nothing queues. */
const CALM = 10;

interface Way {
  readonly figure: string;
  readonly bar?: number;
  readonly perSecond: number;
  /** Events in a request. */
  readonly each: number;
  /** How many persons a request speaks of. */
  readonly persons: number;
  acts(who: readonly Customer[], now: number, d: Dice): readonly Act[];
}

const ways: readonly Way[] = [
  {
    figure: '$ per million events, single webhooks, known persons',
    bar: 3,
    perSecond: 50,
    each: 1,
    persons: 1,
    acts: (who, now, d) => who.map((one) => act(one, now, d)),
  },
  {
    figure: '$ per million events, single webhooks, eight orders in a hundred events',
    perSecond: 50,
    each: 1,
    persons: 1,
    acts: (who, now, d) => who.map((one) => act(one, now, d, 'ordering')),
  },
  {
    figure: '$ per million events, ten events of one person a request',
    bar: 1,
    perSecond: 10,
    each: TEN,
    persons: 1,
    acts: (who, now, d) =>
      who.flatMap((one) => Array.from({ length: TEN }, (_, i) => browsed(one, now - (TEN - i) * 1000, d))),
  },
  {
    figure: '$ per million events, ten events of ten persons a request',
    perSecond: 10,
    each: TEN,
    persons: TEN,
    acts: (who, now, d) => who.map((one) => told(one, now, d)),
  },
];

/** What a browser's own library says: pages, products, carts. */
function browsed(who: Customer, at: number, d: Dice): Act {
  for (;;) {
    const one = act(who, at, d);
    if (one.by === 'web') return one;
  }
}

/** What a shop's back end says: the same and orders. */
function told(who: Customer, at: number, d: Dice): Act {
  for (;;) {
    const one = act(who, at, d);
    if (one.by === 'web' || one.by === 'server') return { ...one, by: 'server' };
  }
}

export const dollars: Figure = {
  name: 'dollars',
  kind: 'count',
  async measure() {
    const run = await startRun({ brand: loadBrand('demo') });
    try {
      const d = dice(11);
      const people = customers(PEOPLE, d);
      const past = await acquaint(run, people, PAST, senders(run.brand), d);
      const parts: Measured[] = [];
      for (const way of ways) {
        await run.clock.walkTo(run.clock.now() + DAY); // a new day for everybody
        await run.idle(300_000);
        parts.push(await measured(run, way, people, d));
      }
      return {
        rows: parts.flatMap((it) => it.rows),
        details: [
          `${PEOPLE} persons, known by ${(past / PEOPLE).toFixed(0)} events each on average, then ${A_DAY} events each on one brand-day`,
          ...parts.flatMap((it) => it.details),
        ],
      };
    } finally {
      await run.stop();
    }
  },
};

async function measured(run: Run, way: Way, people: readonly Customer[], d: Dice): Promise<Measured> {
  const { figure, bar, perSecond, each, persons, acts } = way;
  const send = senders(run.brand);
  const events = PEOPLE * A_DAY;
  const turns = shuffled(Array.from({ length: A_DAY }, () => people).flat(), d);
  const request = (i: number) => {
    const who = Array.from(
      { length: persons },
      (_, n) => turns[(i * persons + n) % turns.length] ?? turns[0]!,
    );
    const now = run.clock.now();
    const list = acts(who, now, d);
    return list.length === 1 ? send.single(list[0]!, now) : send.batch(list, now);
  };
  run.resetLedger();
  const { seconds } = await stream(run.url, events / each, perSecond, request);
  await run.idle(300_000);
  const report = run.ledger();

  const calm: number[] = [];
  for (let second = 0; second < CALM; second++) {
    run.resetLedger();
    for (let i = 0; i < perSecond; i++) await post(run.url, request(events / each + second * perSecond + i));
    await run.idle(300_000);
    calm.push(run.ledger().total.gbSeconds / (perSecond * each));
  }
  const million = (part: number) => (part / events) * 1e6;
  const { http, sqs, dynamodb } = report.total.dollars;
  const parts = {
    http: million(http),
    lambda:
      (report.total.invocations / events) * report.prices.perMillion.lambdaInvocations +
      median(calm) * report.prices.lambdaPerGbSecondArm64 * 1e6,
    sqs: million(sqs),
    dynamodb: million(dynamodb),
  };
  const total = parts.http + parts.lambda + parts.sqs + parts.dynamodb;
  const two = (it: number) => it.toFixed(2);
  return {
    rows: [
      bar === undefined
        ? { figure, value: two(total), numbers: { value: total, ...parts } }
        : atMost(figure, total, bar, two, parts),
    ],
    details: [
      `${figure}: ${two(total)} = http ${two(parts.http)} + lambda ${two(parts.lambda)} + sqs ${two(parts.sqs)} + dynamodb ${two(parts.dynamodb)}`,
      `  ${events} events in ${seconds.toFixed(0)} s, ${perSecond} requests a second, ${each} events a request; GB-seconds are the median of ${CALM} seconds' worth of requests sent one after the other`,
      ...detailsOf(report, events),
    ],
  };
}

function detailsOf({ stages }: LedgerReport, events: number): string[] {
  const per = (value: number) => (value / events).toFixed(3);
  return Object.entries(stages).flatMap(([name, stage]) => {
    const { invocations, billedMs, memoryMb } = stage.lambda;
    const { http, sqs, dynamodb } = stage.dollars;
    return [
      `  ${name}: $${(((http + sqs + dynamodb) / events) * 1e6).toFixed(3)} a million without Lambda; ${invocations} invocations (${(events / Math.max(1, invocations)).toFixed(1)} events each), ${(billedMs / Math.max(1, invocations)).toFixed(0)} ms of wall time each in the stream, ${memoryMb} MB`,
      ...stage.sqs.map(
        (it) =>
          `    sqs ${it.operation} ${it.queue}: ${it.calls} calls, ${it.messages} messages, ${per(it.requests)} requests an event`,
      ),
      ...stage.dynamodb.map(
        (it) =>
          `    dynamodb ${it.operation} ${it.rows}: ${per(it.requests)} requests, ${per(it.writeUnits)} write, ${per(it.indexWriteUnits)} index, ${per(it.readUnits)} read units an event; units ${JSON.stringify(it.units)}`,
      ),
    ];
  });
}

function shuffled<T>(list: readonly T[], d: Dice): T[] {
  return list
    .map((item) => ({ item, at: d.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
