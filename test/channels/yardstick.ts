import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';

/** What capture's own work is made of: text is walked through, parsed, made anew, digested and unzipped. */
const text = JSON.stringify(
  Array.from({ length: 2_400 }, (_, i) => ({
    id: `order-${i}`,
    at: i * 1_000,
    paid: { amount: i, of: ['a', null] },
  })),
);
const packed = gzipSync(text);

function oneYard(): number {
  let blanks = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0x20) blanks++;
  const again = JSON.stringify(JSON.parse(gunzipSync(packed).toString('utf8')));
  return blanks + createHash('sha256').update(again).digest().readUInt8(0);
}

/**
 * CPU of one yard, in milliseconds, on the machine that the bar was set on (two virtual CPUs of a
 * Xeon of 2023, Node 24) when little else ran there. A bar in milliseconds is this many times a yard: so it is the same bar on a machine of
 * another speed, and on one whose processor somebody else uses half.
 */
export const YARD_MS = 1.65;

/** CPU of this process, in milliseconds, for what `work` does. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What some CPU time would be on the machine of the bar, where a yard takes `yardMs` here. */
export const asThere = (cpuMs: number, yardMs: number): number => (cpuMs * YARD_MS) / yardMs;

/** The least that a yard takes here, of so many. */
export async function yardMs(times = 20): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) least = Math.min(least, await cpuMsOf(oneYard));
  return least;
}

/**
 * What the work takes on the machine of the bar: the least of several runs, each by the yards right before and after it,
 * because what disturbs one disturbs the others. The runs end as soon as it is within `most`, so that only what is slow
 * each time is said to be; and after a few where it is many times that. From the twentieth on there is a pause between them: a
 * neighbour in the caches is gone by then.
 */
export async function leastMs(work: () => Promise<number>, most: number, runs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  let before = await yardMs(2);
  for (let i = 0; i < runs && least > most; i++) {
    if (i > 3 && least > 5 * most) break;
    if (i > 20) await setTimeout(30);
    const cpuMs = await work();
    const after = await yardMs(2);
    least = Math.min(least, asThere(cpuMs, Math.max(before, after)));
    before = after;
  }
  return least;
}
