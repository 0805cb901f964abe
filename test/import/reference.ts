// The reference logs, and what a brand tells of them after an import, through its HTTP API.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { checkBrand } from '../../infra/brands/load.ts';
import type { Run } from '../../infra/local/brand-run.ts';
import { digestAt } from '../../infra/local/digest.ts';
import type { Brand } from '../../lib/platform/brand.ts';
import { type Person, type Recount, recountInvoices, recountJourneys } from './recount.ts';

export const root = resolve(import.meta.dirname, '../..');
const reference = resolve(root, '../shared/reference');

export const hasReference = existsSync(reference);
export const NO_REFERENCE = 'the reference logs are not here (../shared/reference)';

export const SECRET = `whsec_${Buffer.from('the check of imports, 32 bytes..').toString('base64')}`;

export interface Log {
  readonly name: string;
  readonly file: string;
  readonly mapping: string;
  readonly recount: (rows: Record<string, string>[]) => Recount;
  readonly brand: Brand;
  /** Just after the log's end. */
  readonly clockAt: number;
  /** Brand-days from the first to the last. */
  readonly from: string;
  readonly to: string;
}

const brandOf = (name: string, currency: string, timezone: string): Brand =>
  checkBrand(
    {
      name,
      title: { zh: name, en: name },
      timezone,
      locale: 'en-GB',
      currency,
      channels: { generic: { crm: { secret: 'crm' } } },
      attribution: { lookbackDays: 30, journey: 'window' },
      rules: [
        {
          tag: 'stage',
          values: { active: 'events("order_paid").within("90d").any()', lost: 'events("order_paid").any()' },
        },
      ],
      local: { secrets: { crm: { keys: [SECRET] } } },
    },
    name,
  );

export const completejourney: Log = {
  name: 'completejourney',
  file: join(reference, 'completejourney/events_unified.csv.gz'),
  mapping: join(root, 'docs/import/completejourney.yaml'),
  recount: recountJourneys,
  brand: brandOf('journeys', 'USD', 'UTC'),
  clockAt: Date.parse('2018-01-01T00:00:00Z'),
  from: '2016-11-14',
  to: '2017-12-31',
};

export const onlineRetail: Log = {
  name: 'online-retail',
  file: join(reference, 'online-retail/online_retail.csv.gz'),
  mapping: join(root, 'docs/import/online-retail.yaml'),
  recount: recountInvoices,
  brand: brandOf('retail', 'GBP', 'Europe/London'),
  clockAt: Date.parse('2011-12-10T00:00:00Z'),
  from: '2010-12-01',
  to: '2011-12-09',
};

const sums = z.looseObject({ ppm: z.int(), gross: z.int(), refunded: z.int() });
const report = z.looseObject({
  rows: z.array(sums.extend({ name: z.string() })),
  totals: sums.extend({ conversions: z.int() }),
});
const page = z.looseObject({
  events: z.array(z.looseObject({ type: z.string(), properties: z.record(z.string(), z.json()) })),
  next: z.string().optional(),
});

const ask = async <T>(run: Run, path: string, shape: z.ZodType<T>): Promise<T> => {
  const answer = await fetch(new URL(path, run.url), {
    headers: { authorization: `Bearer ${run.keys.admin}`, 'x-reason': 'a test asks' },
  });
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`);
  return shape.parse(await answer.json());
};

/** What the table and the reports say, and everything in them that does not add up. */
export async function tellTotals(run: Run, { brand, from, to }: Log) {
  const { events, profiles } = z
    .looseObject({ events: z.int(), profiles: z.int() })
    .parse(await digestAt(run.url));
  const wrong: string[] = [];
  const told: { purchases: number; paid: bigint; attributed: number }[] = [];
  for (const model of brand.attribution.models) {
    const query = new URLSearchParams({ model, from, to, by: 'channel', currency: brand.currency });
    const { rows, totals } = await ask(run, `/attribution?${query}`, report);
    const add = (of: (row: z.infer<typeof sums>) => number) => rows.reduce((sum, row) => sum + of(row), 0);
    if (add((row) => row.ppm) !== totals.conversions * 1_000_000)
      wrong.push(`${model}: the ppm do not add up`);
    if (add((row) => row.gross) !== totals.gross) wrong.push(`${model}: the money does not add up`);
    const alone = rows.find(({ name }) => name === '(unattributed)')?.ppm ?? 0;
    told.push({
      purchases: totals.conversions,
      paid: BigInt(totals.gross),
      attributed: (totals.ppm - alone) / 1_000_000,
    });
  }
  const [first] = told;
  const isSame = (it: (typeof told)[number]) =>
    it.purchases === first?.purchases && it.paid === first?.paid && it.attributed === first?.attributed;
  if (!told.every(isSame)) wrong.push('the models do not agree on the totals');
  return { events, persons: profiles, ...first, wrong };
}

/** Each person's journal against the file: how many differ in events, in money paid or in money back. */
export async function comparePeople(run: Run, people: Iterable<Person>): Promise<string[]> {
  const wrong: string[] = [];
  for (const person of people) {
    const told = { events: 0, paid: 0n, refunded: 0n };
    const path = `/profiles/${person.kind}/${encodeURIComponent(person.value)}/events`;
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({
        limit: '500',
        ...(person.scope && { scope: person.scope }),
        ...(cursor && { cursor }),
      });
      const answer = await ask(run, `${path}?${query}`, page);
      for (const { type, properties } of answer.events) {
        told.events += 1;
        if (type === 'order_paid') told.paid += BigInt(Number(properties.paid_amount));
        if (type === 'order_refunded') told.refunded += BigInt(Number(properties.refund_amount));
      }
      cursor = answer.next;
    } while (cursor);
    if (told.events !== person.events || told.paid !== person.paid || told.refunded !== person.refunded)
      wrong.push(
        `${person.kind} ${person.value}: ${told.events}/${person.events} events, ${told.paid}/${person.paid} paid`,
      );
  }
  return wrong;
}
