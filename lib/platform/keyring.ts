import { createHash } from 'node:crypto';
import { ConflictError } from './errors.ts';
import { FIRST, getSeeds, pathOf, putSeeds, SEED, type SeedPage, seedAt, seedText } from './seeds.ts';
import type { Table } from './table.ts';

/** Random bytes, as many as are asked for. */
export type Random = (size: number) => Uint8Array;

/** The keys that rows are sealed under, by name. */
export interface Keyring {
  /** The key of a name (32 bytes), the same for ever; undefined once it was shredded. */
  keyOf(name: string): Promise<Uint8Array | undefined>;
}

/** How many keys are remembered between rows; the oldest go first. */
const REMEMBERED = 10_000;

/**
 * Keys from a tree of seeds: one seed stands for everybody, so a key costs no read once its page was read, and a new name
 * no write. A ring that read its pages before a name was shredded can still derive its key: it lives as long as its process.
 *
 * @param table of its own, without backups
 */
export function keyring(table: Pick<Table, 'get' | 'put'>, random: Random): Keyring {
  const pages = new Map<string, Promise<SeedPage | undefined>>();
  const known = new Map<string, Uint8Array>();

  const remembered = (path: string): Promise<SeedPage | undefined> => {
    const page = pages.get(path) ?? (path === FIRST ? firstSeeds(table, random) : getSeeds(path, table));
    pages.set(path, page);
    page.catch(() => pages.delete(path));
    return page;
  };
  const derived = async (name: string): Promise<Uint8Array | undefined> => {
    const [head, rest] = pathOf(name);
    const first = (await remembered(FIRST))?.seeds ?? {};
    const leaf = seedAt(first, head + rest) ?? seedAt((await remembered(head))?.seeds ?? {}, rest);
    return leaf === undefined ? undefined : createHash('sha256').update(`key ${leaf}`).digest();
  };

  return {
    async keyOf(name) {
      const key = known.get(name) ?? (await derived(name));
      if (key) known.set(name, key);
      if (known.size > REMEMBERED) known.delete(known.keys().next().value ?? '');
      return key;
    },
  };
}

/** The first page; whoever comes first makes it. */
export async function firstSeeds(table: Pick<Table, 'get' | 'put'>, random: Random): Promise<SeedPage> {
  const found = await getSeeds(FIRST, table);
  if (found) return found;
  try {
    await putSeeds(FIRST, { v: 0, seeds: { [FIRST]: seedText(random(SEED)) } }, table);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
  return firstSeeds(table, random);
}
