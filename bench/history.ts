// What an event costs somebody with a long history, against somebody with a short one.
import { loadBrand } from '../infra/brands/load.ts';
import { DAY, HOUR, SECOND } from '../lib/platform/clock.ts';
import { type Act, act, introduction } from './acts.ts';
import { type Dice, dice } from './dice.ts';
import { atMost, type Figure } from './figure.ts';
import type { Call } from './metered.ts';
import { type Customer, customers } from './people.ts';
import { openPipeline } from './pipeline.ts';
import { senders } from './requests.ts';
import { unitsOf, whereUnitsGo } from './where.ts';

const END = Date.parse('2026-08-01T00:00:00+08:00');
/** So many that ten thousand lie within what a brand keeps: three years. */
const A_DAY = 10;
/** Who has come every day for longer than that: each day something expires. */
const EXPIRING = { aDay: 4, events: 4_500 };
const MEASURED = 200;
const PEOPLE = 3;

export const history: Figure = {
  name: 'history',
  kind: 'count',
  async measure() {
    const short = await costAfter(100);
    const long = await costAfter(10_000);
    const expiring = await costAfter(EXPIRING.events, EXPIRING.aDay);
    const perEvent = (calls: readonly Call[]) => unitsOf(calls) / (MEASURED * PEOPLE);
    return {
      rows: [
        atMost(
          'write + read units per event at 10,000 events of history ÷ at 100',
          perEvent(long) / perEvent(short),
          1.2,
          (it) => it.toFixed(2),
          { at100: perEvent(short), at10000: perEvent(long) },
        ),
        {
          figure: 'the same where events of three years ago expire every day',
          value: (perEvent(expiring) / perEvent(short)).toFixed(2),
          numbers: { expiring: perEvent(expiring) },
        },
      ],
      details: [
        `${PEOPLE} customers, ${A_DAY} events a day, ${MEASURED} events each after the history, one a batch; profile, attribution and tags together`,
        ...whereUnitsGo('at 100', short, MEASURED * PEOPLE),
        ...whereUnitsGo('at 10,000', long, MEASURED * PEOPLE),
        ...whereUnitsGo('expiring', expiring, MEASURED * PEOPLE),
      ],
    };
  },
};

/** The calls of `MEASURED` events of each customer after so many. */
async function costAfter(events: number, aDay = A_DAY): Promise<Call[]> {
  const calls: Call[] = [];
  for (let seed = 1; seed <= PEOPLE; seed++) calls.push(...(await costOf(events, aDay, dice(seed))));
  return calls;
}

async function costOf(events: number, aDay: number, d: Dice): Promise<Call[]> {
  const brand = loadBrand('demo');
  const pipeline = openPipeline({ brand });
  const send = senders(brand);
  const [who] = customers(1, d) as [Customer];
  const step = DAY / aDay;
  const from = END - events * step;
  const calls: Call[] = [];

  const live = async (at: number, acts: readonly Act[]): Promise<readonly Call[]> => {
    pipeline.at(at + SECOND);
    const taken = [
      await pipeline.tick(),
      await pipeline.events(await pipeline.capture(acts.map((it) => send.single(it, at + SECOND)))),
      await pipeline.conversions(),
    ].flatMap((it) => it.calls);
    return taken.filter(({ operation }) => operation !== 'due'); // asked by the minute, not by the event
  };
  await live(from - HOUR, introduction(who, from - 2 * HOUR, d));
  let past: Act[] = [];
  for (let i = 0; i < events + MEASURED; i++) {
    const at = Math.floor(from + (i + 0.5 * d.next()) * step);
    const one = act(who, at, d);
    if (i >= events) {
      calls.push(...(await live(at, [one])));
      continue;
    }
    past.push(one);
    if (past.length < aDay && i < events - 1) continue; // what is not measured comes by the day
    await live(at, past);
    past = [];
  }
  return calls;
}
