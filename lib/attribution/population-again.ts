import { z } from 'zod';
import { toIso } from '../platform/clock.ts';
import { compress, decompress } from '../platform/compressed.ts';
import { END, keys } from '../platform/keys.ts';
import { removeRows, sumsOf } from '../platform/sums.ts';
import type { Item } from '../platform/table.ts';
import { type Learnable, learnable, type ModelVersion, modelVersion, type Run } from './population.ts';
import { type AskDeps, learnAgain } from './population-ask.ts';
import type { PopulationDeps } from './population-work.ts';

export type AgainDeps = AskDeps & Pick<PopulationDeps, 'table'>;

const ENDED = 'somebody who was counted has been erased since: learn it again';
/** Versions of a model that are looked at to see how learning it again went. */
const LATELY = 10;

/**
 * Ends the counts of paths that were begun up to an instant: what they counted is removed, and what was to come of them is
 * asked for anew. Doing it again removes what a worker put meanwhile.
 */
export async function endCounts(until: string, deps: AgainDeps): Promise<void> {
  for (const id of await sumsOf('model', deps.table)) {
    const run = await deps.population.getRun(id);
    if (run && run.at > until) continue;
    if (run) await beginAgain(run, deps);
    const key = keys.modelRun(id);
    await deps.table.remove(key); // first: from now on nobody works on it
    await removeRows(key.pk, deps.table);
  }
}

/** Asks anew for what has not come of a count, and then says of each version of it that it never will. */
async function beginAgain({ of: _, fits, ...asked }: Run, deps: AgainDeps): Promise<void> {
  const { population, brand } = deps;
  const known = await Promise.all(fits.map(({ model }) => population.getVersion(model, asked.id)));
  const missing = fits.filter((_, i) => !known[i]);
  if (missing.length === 0) return;
  if (hasGoal(asked.goal, brand)) await learnAgain(missing, asked, asked.by, deps);
  for (const parameters of missing) await population.putVersion({ ...asked, parameters, ended: ENDED });
}

const hasGoal = (of: string, { conversions }: AgainDeps['brand']): boolean =>
  conversions.some(({ goal }) => goal === of);

/**
 * Takes out of the versions that were counted up to an instant what they say. Which days and what goal they were learned of
 * stays; and so does what the newest says of channels, until the model was learned again.
 */
export async function endVersions(until: string, { table }: Pick<AgainDeps, 'table'>): Promise<void> {
  for (const model of learnable.options) {
    for await (const row of versionsOf(model, table)) {
      const { result: _, refused: __, ...asked } = versionIn(row);
      if (asked.ended !== undefined || asked.at > until) continue;
      await table.put({ ...row, b: compress({ ...asked, ended: ENDED } satisfies ModelVersion) });
    }
  }
}

function versionsOf(model: Learnable, table: AgainDeps['table']): AsyncIterable<Item> {
  const { pk, sk } = keys.modelVersion(model, '');
  return table.query(pk, { from: sk, to: `${sk}${END}` });
}

const versionRow = z.object({ b: z.instanceof(Uint8Array) });
const versionIn = (row: Item): ModelVersion => modelVersion.parse(decompress(versionRow.parse(row).b));

/** Models whose newest version was counted from an instant up to another; and when that was begun. */
export async function learnedUntil(
  until: string,
  { table }: Pick<AgainDeps, 'table'>,
): Promise<Map<Learnable, number>> {
  const newest = z.object({ v: z.int() }).optional();
  const found = new Map<Learnable, number>();
  for (const model of learnable.options) {
    const row = newest.parse(await table.get(keys.model(model)));
    if (row && row.v <= Date.parse(until)) found.set(model, row.v);
  }
  return found;
}

/**
 * Has models learned again whose newest version was counted up to an instant, but for those that are being learned. What
 * nobody can count any more, because the brand has no such goal, holds no more.
 *
 * @param lostMs what has not come so long after it was begun never will
 */
export async function learnAllAgain(
  until: string,
  { by, lostMs }: { readonly by: string; readonly lostMs: number },
  deps: AgainDeps,
): Promise<void> {
  const lost = toIso(deps.now() - lostMs);
  const begun = await beingLearned(until > lost ? until : lost, deps);
  for (const [model, at] of await learnedUntil(until, deps)) {
    if (begun.has(model)) continue;
    const version = await versionBegunAt(model, at, deps);
    if (version && hasGoal(version.goal, deps.brand))
      await learnAgain([version.parameters], version, by, deps);
    else await deps.table.remove(keys.model(model));
  }
}

/** Models of which a count was begun after an instant that has not come to a version yet. */
async function beingLearned(until: string, { table, population }: AgainDeps): Promise<Set<Learnable>> {
  const models = new Set<Learnable>();
  for (const id of await sumsOf('model', table)) {
    const run = await population.getRun(id);
    if (!run || run.at <= until) continue;
    for (const { model } of run.fits) if (!(await population.getVersion(model, id))) models.add(model);
  }
  return models;
}

async function versionBegunAt(
  model: Learnable,
  at: number,
  { table }: AgainDeps,
): Promise<ModelVersion | undefined> {
  for await (const row of versionsOf(model, table)) {
    const version = versionIn(row);
    if (Date.parse(version.at) === at) return version;
  }
  return undefined;
}

/** Where learning again was refused, what was learned before holds no more. */
export async function removeRefused(
  stale: ReadonlyMap<Learnable, number>,
  by: string,
  { table, population }: AgainDeps,
): Promise<void> {
  for (const [model, at] of stale) {
    const lately = await population.versions(model, LATELY);
    const isRefused = (it: ModelVersion) => it.by === by && it.refused !== undefined;
    if (lately.some((it) => isRefused(it) && Date.parse(it.at) > at)) await table.remove(keys.model(model));
  }
}
