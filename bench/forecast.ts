// What it costs to look at everybody by a draft of one rule.
import { z } from 'zod';
import { loadBrand } from '../infra/brands/load.ts';
import type { Brand } from '../lib/platform/brand.ts';
import { DAY, toIso } from '../lib/platform/clock.ts';
import type { Item } from '../lib/platform/table.ts';
import { messagesOf, PARTS, type Survey } from '../lib/tags/survey.ts';
import { onSurvey } from '../lib/tags/survey-part.ts';
import { surveyStore } from '../lib/tags/survey-store.ts';
import { memoryQueue, memoryTable } from '../test/platform/memory.ts';
import { crowd } from './crowd.ts';
import type { Figure, Measured } from './figure.ts';
import { LIFE_DAYS } from './life.ts';
import { bookOf, withRules } from './many-rules.ts';
import { lifeBy } from './rules.ts';

const NOW = Date.parse('2026-08-01T00:00:00+08:00') + LIFE_DAYS * DAY;
const RULES = 30;
/** Brand-days before today that are told too. */
const DAYS = 30;
/** Persons whose work is not counted: the compiler is warm after them. */
const WARM = 500;

export const forecast: Figure = {
  name: 'forecast',
  kind: 'time',
  measure: () => measureForecast({ people: 60, size: 100_000 }),
};

export async function measureForecast(of: {
  readonly people: number;
  readonly size: number;
}): Promise<Measured> {
  const brand = withRules(loadBrand('demo'), RULES);
  const { rows } = await lifeBy(brand, of.people);
  await looked(brand, rows, Math.min(WARM, of.size));
  const { us, asked, cost } = await looked(brand, rows, of.size);
  const size = of.size.toLocaleString('en');
  return {
    rows: [
      {
        figure: `CPU per person of a forecast, ${size} persons, ${DAYS} days`,
        value: `${us.toFixed(0)} µs`,
        numbers: { us, events: cost.events / of.size },
      },
      {
        figure: `read units per person of a forecast, ${size} persons`,
        value: (cost.readUnits / of.size).toFixed(2),
        numbers: { readUnits: cost.readUnits / of.size, journals: cost.journals / of.size },
      },
    ],
    details: [
      `a draft of one rule beside ${RULES}; ${(cost.events / of.size).toFixed(1)} events a person, copies of ${of.people}; ${asked.scan} pages of a scan, ${asked.query} journals, ${asked.get} other reads, ${asked.put} writes`,
    ],
  };
}

const told = z.object({
  cost: z.object({ events: z.number(), journals: z.number(), readUnits: z.number() }),
});

async function looked(brand: Brand, rows: readonly Item[], size: number) {
  const { table, asked } = crowd(memoryTable(), { size, patterns: rows });
  const recompute = memoryQueue();
  const book = bookOf(brand);
  const draft = {
    ...{ tag: 'regular', version: 1 },
    when: 'events("order_paid").within("60d").count() >= 2 || events("page_viewed").within("30d").days() >= 4',
  };
  const survey: Survey = {
    ...{ id: 'bench', at: toIso(NOW), by: 'bench', of: PARTS },
    asked: { kind: 'forecast', tag: draft.tag, rules: [draft], book: book.digest, days: DAYS },
  };
  const store = surveyStore(table, () => NOW);
  await store.put(survey);
  await recompute.send(messagesOf(survey));
  const deps = { table, recompute, now: () => NOW, rules: async () => ({ brand, book }) };
  const before = process.cpuUsage();
  for (let i = 0; i < recompute.bodies.length; i++) {
    const failed = await onSurvey([{ id: 'm', body: recompute.bodies[i] ?? '' }], deps);
    if (failed.length > 0) throw new Error('a part came back');
  }
  const { user, system } = process.cpuUsage(before);
  const { found, parts } = await store.pieces(survey);
  if (parts !== PARTS) throw new Error(`${parts} of ${PARTS} parts were looked at`);
  const costs = found.map((it) => told.parse(it).cost);
  const cost = {
    events: costs.reduce((sum, it) => sum + it.events, 0),
    journals: costs.reduce((sum, it) => sum + it.journals, 0),
    readUnits: costs.reduce((sum, it) => sum + it.readUnits, 0),
  };
  return { us: (user + system) / size, asked, cost };
}
