import { ConflictError } from './errors.ts';
import { below, FIRST, getSeeds, pathOf, putSeeds, reach, type Seeds, STEPS, seedAt } from './seeds.ts';
import type { Table } from './table.ts';

/** Destroys keys. */
export interface Shredder {
  /** Makes the keys of names impossible to derive, and nobody else's. Again it changes nothing, and goes on where it was left. */
  shred(names: readonly string[]): Promise<void>;
}

const ATTEMPTS = 8;

/**
 * Puts in the place of the seed above a name's leaf those beside its path: all keys follow from them but its own. The page below
 * is put before the first lets go of it, so a crash between them leaves a key that can still be derived, and is shredded again.
 *
 * @param table of the keys: without backups, or what was shredded lies in them
 */
export function shredder(table: Pick<Table, 'get' | 'put'>): Shredder {
  const shredOne = async (name: string): Promise<void> => {
    const [head, rest] = pathOf(name);
    const first = await getSeeds(FIRST, table);
    if (!first) return; // no key was ever derived
    const seed = seedAt(first.seeds, head);
    const page = (await getSeeds(head, table)) ?? {
      v: 0,
      seeds: seed === undefined ? {} : { [FIRST]: seed },
    };
    const left = without(page.seeds, rest);
    if (left) await putSeeds(head, { v: page.v, seeds: left }, table);
    const others = without(first.seeds, head);
    if (others) await putSeeds(FIRST, { v: first.v, seeds: others }, table);
  };

  return {
    async shred(names) {
      for (const name of names) await again(() => shredOne(name));
    },
  };
}

/** Somebody else may be shredding. */
async function again(work: () => Promise<void>, attempt = 1): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
    await again(work, attempt + 1);
  }
}

/** Seeds without what lies at the end of a path; undefined if there is nothing any more. */
function without(seeds: Seeds, path: string): Seeds | undefined {
  const from = reach(seeds, path);
  if (from === undefined) return undefined;
  const { [path.slice(0, from)]: seed = '', ...left } = seeds;
  for (let at = from; at < path.length; at++) {
    for (const beside of STEPS) {
      if (beside !== path[at]) left[path.slice(0, at) + beside] = below(seed, path.slice(from, at) + beside);
    }
  }
  return left;
}
