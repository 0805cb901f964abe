// From the moment a sender sends an event until its tag is seen through HTTP.
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { loadBrand } from '../infra/brands/load.ts';
import { type Run, startRun } from '../infra/local/brand-run.ts';
import { MINUTE } from '../lib/platform/clock.ts';
import { acquaint } from './acquaintance.ts';
import { act } from './acts.ts';
import { dice } from './dice.ts';
import { atMost, type Figure } from './figure.ts';
import { quantile } from './numbers.ts';
import { customers } from './people.ts';
import { senders } from './requests.ts';
import { stream } from './sending.ts';

const PER_SECOND = 50;
const SECONDS = 60;
const PEOPLE = 200;
/** Every so many-th event is one whose tag is waited for: few, because asking costs the machine too. */
const PROBE = 25;
const EVERY_MS = 100;

const answer = z.object({ tags: z.record(z.string(), z.unknown()).optional() });

export const visible: Figure = {
  name: 'visible',
  kind: 'time',
  async measure() {
    const brand = loadBrand('demo');
    const run = await startRun({ brand });
    try {
      const d = dice(21);
      const people = customers(PEOPLE, d);
      const probes = customers((PER_SECOND * SECONDS) / PROBE, d);
      const send = senders(brand);
      await acquaint(run, people, 8, send, d);

      const seen: Promise<number>[] = [];
      await stream(run.url, PER_SECOND * SECONDS, PER_SECOND, (i) => {
        const now = run.clock.now();
        const probe = i % PROBE === 0 ? probes[i / PROBE] : undefined;
        if (!probe) return send.single(act(people[d.whole(0, PEOPLE - 1)]!, now, d), now);
        seen.push(untilTagged(run, probe.browsers[0] ?? '', performance.now()));
        const call = {
          type: 'track',
          event: 'Product Added',
          messageId: `probe-${i}`,
          anonymousId: probe.browsers[0],
          timestamp: new Date(now).toISOString(),
          properties: { product_id: 'serum', quantity: 1 },
        };
        return send.single({ by: 'web', at: now, call }, now);
      });
      const times = await Promise.all(seen);
      const s = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
      return {
        rows: [
          {
            figure: `event → tag visible, ${PER_SECOND} events/s, p50`,
            value: s(quantile(times, 0.5)),
            numbers: { ms: quantile(times, 0.5) },
          },
          atMost(`event → tag visible, ${PER_SECOND} events/s, p99`, quantile(times, 0.99), 1999, s),
        ],
        details: [
          `${times.length} carts of new visitors among ${PER_SECOND * SECONDS} events in ${SECONDS} s; the profile is asked for every ${EVERY_MS} ms until it has the tag; p90 ${s(quantile(times, 0.9))}, longest ${s(Math.max(...times))}`,
        ],
      };
    } finally {
      await run.stop();
    }
  },
};

/** Milliseconds until a visitor's profile has the tag. @throws after a minute */
async function untilTagged(run: Run, visitor: string, from: number): Promise<number> {
  const url = `${run.url}/profiles/anonymous_id/${visitor}`;
  while (performance.now() - from < MINUTE) {
    const reply = await fetch(url, { headers: { authorization: `Bearer ${run.keys.admin}` } });
    const body: unknown = await reply.json();
    if (reply.ok && answer.parse(body).tags?.cart_abandoner !== undefined) return performance.now() - from;
    await wait(EVERY_MS);
  }
  throw new Error('a tag did not become visible within a minute');
}
