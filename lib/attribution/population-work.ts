import type { Brand } from '../platform/brand.ts';
import { type Clock, MINUTE } from '../platform/clock.ts';
import { logError } from '../platform/log.ts';
import type { Queue } from '../platform/queue.ts';
import type { Message } from '../platform/sqs.ts';
import type { Table } from '../platform/table.ts';
import { clusterOf } from '../profile/cluster.ts';
import { readHistory } from '../profile/history.ts';
import { isRedirect, type ProfileStore } from '../profile/store.ts';
import { type Calendar, dayNumber } from '../tags/calendar.ts';
import {
  type Fit,
  LearningRefused,
  type ModelResult,
  type PartMessage,
  type Run,
  type RunMessage,
  runMessage,
} from './population.ts';
import { type CampaignSpan, populationCounter } from './population-counts.ts';
import { learn } from './population-fit.ts';
import type { Told } from './population-person.ts';
import type { ChannelWeights } from './population-share.ts';
import type { PopulationStore } from './population-store.ts';
import type { ConversionReader } from './read.ts';
import { type ConversionRow, profileOf } from './row.ts';
import { touchesOf } from './touch.ts';
import { longestLookBackMs } from './window.ts';

/** How long one call counts before it hands on to another: well within what a call may take. */
const BUDGET_MS = 4 * MINUTE;
/** A piece is put when it holds so much: a fraction of a megabyte. */
const PIECE = 100_000;
const CONCURRENCY = 8;

export interface PopulationDeps {
  readonly brand: Brand;
  readonly calendar: Pick<Calendar, 'startOfDay'>;
  readonly table: Table;
  readonly profiles: ProfileStore;
  readonly conversions: Pick<ConversionReader, 'list'>;
  readonly population: PopulationStore;
  readonly work: Queue;
  readonly now: Clock;
  /** A piece is put when it holds so many touches. @default 100,000 */
  readonly pieceSize?: number;
}

/** Counts parts of everybody, and learns of what was counted. Answers the ids of messages that must come again. */
export async function onPopulation(messages: readonly Message[], deps: PopulationDeps): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, body } of messages) {
    try {
      const asked = runMessage.parse(JSON.parse(body));
      const run = await deps.population.getRun(asked.run);
      if (!run) continue; // its time is over: nobody waits for it
      await ('part' in asked ? countPart(run, asked, deps) : fitOne(run, asked.fit, deps));
    } catch (error) {
      logError('a part of a population model', error);
      failed.push(id);
    }
  }
  return failed;
}

/**
 * Counts one part of everybody and puts what it found, piece after piece. It changes no profile, and doing it again
 * counts the same or, of people who have changed since, the newer. Whoever ends the last part asks for the fits.
 */
async function countPart(run: Run, { part, after: begin = '' }: PartMessage, deps: PopulationDeps) {
  const { population, table, now } = deps;
  const counter = populationCounter(run, deps.brand, campaignsOf(run, deps));
  const until = now() + BUDGET_MS;
  for (let after = begin, from = begin; ; ) {
    const { items, next } = await table.scan(part, run.of, after === '' ? undefined : after);
    const clusters = items.filter(
      ({ pk, sk, joined }) => pk.startsWith('P#') && sk === '@' && joined === undefined,
    );
    const isOver = now() >= until;
    try {
      const ids = clusters.map(({ pk }) => pk.slice(2));
      await countAll(ids, counter.add, run, deps);
      if (next === undefined || isOver || counter.size >= (deps.pieceSize ?? PIECE)) {
        await population.putPiece(run.id, { part, after: from, next, found: counter.take() });
        if (next !== undefined) from = next;
      }
    } catch (error) {
      if (!(error instanceof LearningRefused)) throw error;
      await population.putPiece(run.id, { part, after: from, found: error }); // and that is the part's end
      return askForFits(run, deps);
    }
    if (next === undefined) return askForFits(run, deps);
    if (isOver)
      return deps.work.send([JSON.stringify({ run: run.id, part, after: next } satisfies RunMessage)]);
    after = next;
  }
}

async function askForFits(run: Run, { population, work }: PopulationDeps): Promise<void> {
  const { parts } = await population.eachPiece(run);
  if (parts < run.of) return; // whoever ends the last part asks
  await work.send(
    run.fits.map(({ model }) => JSON.stringify({ run: run.id, fit: model } satisfies RunMessage)),
  );
}

async function countAll(
  ids: readonly string[],
  take: (told: Told) => void,
  run: Run,
  deps: PopulationDeps,
): Promise<void> {
  const left = ids.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const id of left) for (const told of await toldOf(id, run, deps)) take(told);
    }),
  );
}

/** The people of a cluster, as far back as the span's paths reach. */
async function toldOf(id: string, run: Run, deps: PopulationDeps): Promise<Told[]> {
  const { brand, profiles } = deps;
  const isWhole = run.fits.some(({ model }) => model === 'holdouts');
  const since = run.span.begin - longestLookBackMs(brand.attribution);
  const cluster = await profiles.get(id);
  if (!cluster || isRedirect(cluster)) return []; // it went into another, which is counted where that one stands
  const history = await readHistory(profiles, id, isWhole ? undefined : since, brand.consent);
  if (!history || history.cluster !== id) return [];
  const rows: ConversionRow[] = [];
  for await (const row of deps.conversions.list(clusterOf(id))) rows.push(row);
  const used = history.people.filter(({ restricted }) => restricted === undefined);
  return used.map(({ profile, events: known, uncounted }) => {
    const events = known.filter(({ id }) => !uncounted.has(id));
    const recent = events.filter(
      ({ occurredAt }) => Date.parse(occurredAt) >= since && Date.parse(occurredAt) < run.span.end,
    );
    return {
      profile,
      events: isWhole ? events : recent,
      touches: touchesOf(recent, brand),
      conversions: rows.filter((row) => profileOf(row.id) === profile),
    };
  });
}

const campaignsOf = (run: Run, { brand, calendar }: PopulationDeps): CampaignSpan[] =>
  run.fits.some(({ model }) => model === 'holdouts')
    ? brand.models.holdouts.map((holdout) => ({
        holdout,
        begin: calendar.startOfDay(dayNumber(holdout.from)),
        end: Math.min(calendar.startOfDay(dayNumber(holdout.to)), run.span.end),
      }))
    : [];

/** Learns one model of all that was counted and puts its version; the newest holds from then on. */
async function fitOne(run: Run, model: Fit['model'], deps: PopulationDeps): Promise<void> {
  const parameters = run.fits.find((it) => it.model === model);
  if (!parameters) return;
  const { id, at, by, goal, currency, span } = run;
  const base = { id, at, by, goal, currency, span, parameters };
  const { population } = deps;
  try {
    const all = populationCounter(run, deps.brand);
    const { parts, refused } = await population.eachPiece(run, all.merge);
    if (parts < run.of) return; // a part is being counted again, and whoever ends it asks again
    if (refused !== undefined) throw new LearningRefused(refused);
    const result = learn(parameters, all.take());
    await population.putVersion({ ...base, result });
    await population.putNewest(model, at, model === 'holdouts' ? result.lifts : newestOf(run, model, result));
  } catch (error) {
    if (!(error instanceof LearningRefused)) throw error;
    await population.putVersion({ ...base, refused: error.message });
  }
}

const newestOf = ({ id }: Run, model: Fit['model'], { channels }: ModelResult): ChannelWeights => ({
  version: id,
  per: model === 'learned' ? 'touch' : 'channel',
  weights: Object.fromEntries(
    channels.flatMap(({ channel, weight }) => (weight === undefined ? [] : [[channel, weight]])),
  ),
});
