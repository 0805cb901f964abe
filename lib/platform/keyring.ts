import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { ConflictError } from './errors.ts';
import { below, FIRST, getSeeds, pathOf, putSeeds, SEED, type SeedPage, seedAt, seedText } from './seeds.ts';
import type { Table } from './table.ts';

/** Random bytes, as many as are asked for. */
export type Random = (size: number) => Uint8Array;

/** The keys that rows are sealed under, by name. */
export interface Keyring {
  /** The key of a name (256 bits), the same for ever; undefined once it was shredded. */
  keyOf(name: string): Promise<KeyObject | undefined>;
}

/** How many keys are remembered between rows, and how many pages; the oldest go first. */
const REMEMBERED = 10_000;
const PAGES = 500;

/**
 * Keys from a tree of seeds: one seed stands for everybody, so a key costs no read once its page was read, and a new name
 * no write. A ring that read its pages before a name was shredded can still derive its key: it lives as long as its process.
 *
 * @param table of its own, without backups
 */
export function keyring(table: Pick<Table, 'get' | 'put'>, random: Random): Keyring {
  const pages = new Map<string, Promise<SeedPage | undefined>>();
  const known = new Map<string, KeyObject>();
  /** Seeds of the first page, and what follows from them where a page of its own would begin. */
  const heads = new Map<string, string | undefined>();

  const remembered = (path: string): Promise<SeedPage | undefined> => {
    const page = pages.get(path) ?? (path === FIRST ? firstSeeds(table, random) : getSeeds(path, table));
    pages.set(path, page);
    page.catch(() => pages.delete(path));
    forgetOldest(pages, PAGES);
    return page;
  };
  const headSeed = async (head: string): Promise<string | undefined> => {
    if (!heads.has(head)) heads.set(head, seedAt((await remembered(FIRST))?.seeds ?? {}, head));
    return heads.get(head);
  };
  const derived = async (name: string): Promise<KeyObject | undefined> => {
    const [head, rest] = pathOf(name);
    const seed = await headSeed(head);
    const leaf = seed === undefined ? seedAt((await remembered(head))?.seeds ?? {}, rest) : below(seed, rest);
    return leaf === undefined ? undefined : createSecretKey(hash('sha256', `key ${leaf}`, 'buffer'));
  };

  return {
    async keyOf(name) {
      const key = known.get(name) ?? (await derived(name));
      if (key) known.set(name, key);
      forgetOldest(known, REMEMBERED);
      return key;
    },
  };
}

function forgetOldest(from: Map<string, unknown>, most: number): void {
  if (from.size > most) from.delete(from.keys().next().value ?? '');
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
