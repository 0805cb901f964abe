import { z } from 'zod';
import { uncounted } from '../consent/uncounted.ts';
import type { Event } from '../events/event.ts';
import { partition } from '../identity/graph.ts';
import type { Brand } from '../platform/brand.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import type { Queue } from '../platform/queue.ts';
import type { Table } from '../platform/table.ts';
import { restrictedSince } from '../privacy/restriction.ts';
import { split } from '../profile/cluster.ts';
import type { ProfileStore } from '../profile/store.ts';
import { beginBackfill } from './backfill.ts';
import { emptyCells, foldEvent } from './cells.ts';
import { cutsOf, measured, type Population } from './quintiles.ts';
import { quintileStore } from './quintiles-store.ts';
import { Reading } from './reading.ts';
import { histogramOf, mergeHistograms } from './rfm-quintiles.ts';
import { NOBODY } from './rfm-quintiles-work.ts';
import { compileRules, type RuleBook } from './rulebook.ts';
import { rulesKept } from './rules-kept.ts';
import type { QuintilesAsked, Survey } from './survey.ts';
import { surveyStore } from './survey-store.ts';
import type { SurveyWork } from './survey-work.ts';

const counts = z.array(z.tuple([z.number(), z.int().positive()]));
export const quintilesFound = z.strictObject({ recency: counts, frequency: counts, monetary: counts });

/** Recency in brand-days, number and money of one customer's purchases, as rules read them at an instant. */
export function measuresOf(
  book: RuleBook,
  events: readonly Event[],
  asOf: number,
): { recency: number; frequency: number; monetary: number } | undefined {
  const { settings, any, count, sum } = book.rfm;
  const cells = emptyCells();
  const left = uncounted(events, book.consent);
  let last = Number.NEGATIVE_INFINITY;
  for (const { id, type, occurredAt, properties, source } of events) {
    const at = Date.parse(occurredAt);
    if (type !== settings.event || at > asOf || left.has(id)) continue;
    foldEvent(book, cells, { id, type, at, properties, channel: source.channel });
    last = Math.max(last, book.calendar.brandDay(at));
  }
  const reading = new Reading(book, { cells, traits: {} }, asOf, new Map());
  if (reading.value(any) !== true) return undefined;
  return {
    recency: book.calendar.brandDay(asOf) - last,
    frequency: Number(reading.value(count)),
    monetary: Number(reading.value(sum)),
  };
}

/** Counts how often each value of recency, number and money occurs. Whoever has no name of a person is not counted. */
export function quintilesWork(
  { asOf }: QuintilesAsked,
  { brand, profiles }: { readonly brand: Brand; readonly profiles: ProfileStore },
): SurveyWork {
  const book = compileRules([], brand);
  const taken: { recency: number[]; frequency: number[]; monetary: number[] } = {
    recency: [],
    frequency: [],
    monetary: [],
  };
  return {
    async lookAt(cluster) {
      const division = partition(cluster.graph);
      const parts = split(await profiles.events(cluster), division);
      for (const [i, { names }] of division.members.entries()) {
        if (restrictedSince(cluster.graph, division.members[i]) !== undefined) continue;
        const kinds = names.map((name) => cluster.graph.identifiers.get(name)?.kind ?? '');
        const measures = kinds.every((kind) => NOBODY.has(kind))
          ? undefined
          : measuresOf(book, parts[i] ?? [], asOf);
        if (!measures) continue;
        taken.recency.push(measures.recency);
        taken.frequency.push(measures.frequency);
        taken.monetary.push(measures.monetary);
      }
    },
    take: () => ({
      recency: [...histogramOf(taken.recency.splice(0))],
      frequency: [...histogramOf(taken.frequency.splice(0))],
      monetary: [...histogramOf(taken.monetary.splice(0))],
    }),
  };
}

interface EndDeps {
  readonly table: Table;
  readonly brand: Brand;
  readonly recompute: Queue;
  readonly now: Clock;
}

/**
 * Once every part has been looked at: puts the cuts in force, and has everybody evaluated by them. Whoever ends a part
 * calls it; done again it changes nothing.
 *
 * @returns whether every part has been
 */
export async function endQuintiles(survey: Survey, deps: EndDeps): Promise<boolean> {
  if (survey.asked.kind !== 'quintiles') return false;
  const { table, brand, recompute, now } = deps;
  const pieces = await surveyStore(table, now).pieces(survey);
  if (pieces.parts < survey.of) return false;
  const found = pieces.found.map((it) => quintilesFound.parse(it));
  const merged = (measure: keyof Population) => mergeHistograms(...found.map((it) => new Map(it[measure])));
  const population = {
    recency: merged('recency'),
    frequency: merged('frequency'),
    monetary: merged('monetary'),
  };
  const { r, f, m } = cutsOf(population);
  await quintileStore(table).put({
    asOf: toIso(survey.asked.asOf),
    customers: [...population.frequency.values()].reduce((sum, count) => sum + count, 0),
    survey: survey.id,
    at: survey.at,
    of: measured(brand.rfm),
    ...{ r: [...r], f: [...f], m: [...m] },
  });
  const { rules, quintiles } = await rulesKept(table, brand).current();
  const book = compileRules(rules, { ...brand, quintiles });
  if (book.readsQuintiles)
    await beginBackfill({ book: book.digest, by: survey.by }, { table, recompute, now });
  return true;
}
