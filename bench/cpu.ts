// CPU of one event, all the way through the pure pipeline, and against a service written by hand.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { loadBrand } from '../infra/brands/load.ts';
import { type Event, eventsMessage } from '../lib/events/event.ts';
import { homeOf } from '../lib/identity/graph.ts';
import { dice } from './dice.ts';
import type { Figure, Measured } from './figure.ts';
import { bySecond, lives } from './life.ts';
import { median } from './numbers.ts';
import { customers } from './people.ts';
import { openPipeline } from './pipeline.ts';
import { senders } from './requests.ts';

const FROM = Date.parse('2026-08-01T00:00:00+08:00');
const PEOPLE = 80;
const WARM = 800;
/** Measured in so many parts, of which the median counts: a busy second of the machine falls on one of them. */
const PARTS = 8;

export const cpu: Figure = {
  name: 'cpu',
  kind: 'time',
  async measure(): Promise<Measured> {
    const { decode, fold, events } = await ours();
    const baseline = await theirs(events);
    const whole = decode + fold;
    const us = (ms: number) => `${(ms * 1000).toFixed(0)} µs`;
    return {
      rows: [
        { figure: 'CPU per event, whole pure pipeline', value: us(whole), numbers: { us: whole * 1000 } },
        {
          figure: 'the same ÷ Fastify + SQLite that dedupes and upserts',
          value: `${(whole / baseline).toFixed(2)} ×`,
          numbers: { ratio: whole / baseline, baselineUs: baseline * 1000 },
        },
      ],
      details: [
        `user + system CPU of the process; ${events.length} events of ${PEOPLE} customers after ${WARM} to warm up, one a batch, median of ${PARTS} parts`,
        `verify, decrypt, decode, check: ${us(decode)}; identity, fold, evaluate, encode, store in memory: ${us(fold)}`,
        `Fastify + SQLite (file, WAL), its HTTP included, events already decoded: ${us(baseline)}`,
      ],
    };
  },
};

/** Milliseconds of CPU an event, and the events. */
async function ours(): Promise<{ decode: number; fold: number; events: Event[] }> {
  const brand = loadBrand('demo');
  const d = dice(5);
  const send = senders(brand);
  const pipeline = openPipeline({ brand, counts: false });
  const requests = [...bySecond(lives(customers(PEOPLE, d), FROM, d))].map(({ at, done }) => ({
    at,
    requests: done.map((it) => send.single(it.act, at)), // signing is the sender's: not counted
  }));
  const events: Event[] = [];
  const parts: { decode: number; fold: number; events: number }[] = [];
  const size = Math.ceil((requests.length - WARM) / PARTS);
  for (const part of [requests.slice(0, WARM), ...chunked(requests.slice(WARM), size)]) {
    let decode = 0;
    let fold = 0;
    let count = 0;
    for (const { at, requests: list } of part) {
      pipeline.at(at);
      const start = cpuMs();
      const bodies = await pipeline.capture(list);
      const captured = cpuMs();
      await pipeline.events(bodies);
      fold += cpuMs() - captured;
      decode += captured - start;
      const made = bodies.flatMap((body) => eventsMessage.parse(JSON.parse(body)).events);
      count += made.length;
      events.push(...made);
    }
    parts.push({ decode, fold, events: count });
  }
  const [, ...measured] = parts;
  return {
    decode: median(measured.map((it) => it.decode / it.events)),
    fold: median(measured.map((it) => it.fold / it.events)),
    events: events.slice(WARM),
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function chunked<T>(list: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let from = 0; from < list.length; from += size) chunks.push(list.slice(from, from + size));
  return chunks;
}

const told = z.object({ url: z.string().optional(), cpuMs: z.number().optional() });

/** Milliseconds of CPU that the service written by hand takes for an event. */
async function theirs(events: readonly Event[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'siyu-bench-'));
  const child = fork(new URL('./baseline.ts', import.meta.url), [join(folder, 'baseline.db')], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the baseline ended with ${code}`);
  });
  ended.catch(() => {}); // it ends when it is no longer needed, too
  const next = async () => {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return told.parse(message);
  };
  try {
    const { url } = await next();
    const cpuSoFar = async () => {
      const answer = next();
      child.send('cpu');
      return (await answer).cpuMs ?? 0;
    };
    const post = async ({ id, type, occurredAt, identifiers, properties }: Event) => {
      const profile = homeOf({ identifiers }).value;
      const body = JSON.stringify({ id, profile, type, at: occurredAt, properties });
      const reply = await fetch(`${url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (!reply.ok) throw new Error(`the baseline answered ${reply.status}`);
      await reply.arrayBuffer();
    };
    for (const event of events.slice(0, WARM)) await post(event);
    const parts: number[] = [];
    for (const part of chunked(events.slice(WARM), Math.ceil((events.length - WARM) / PARTS))) {
      const before = await cpuSoFar();
      for (const event of part) await post(event);
      parts.push(((await cpuSoFar()) - before) / part.length);
    }
    return median(parts);
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
