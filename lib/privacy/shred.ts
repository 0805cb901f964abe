import { keys } from '../platform/keys.ts';
import { sealedUnder } from '../platform/sealed.ts';
import type { Shredder } from '../platform/shredder.ts';
import type { Table } from '../platform/table.ts';
import type { Erasing } from '../profile/store.ts';

/** How many keys an erasure destroyed: what lies in backups under them cannot be read by anybody any more. */
export interface Shredded {
  readonly clusters: number;
  readonly identifiers: number;
}

/** Names of the keys that identifiers' rows are sealed under before they become tombstones. */
export async function identifierKeys(
  of: Erasing['of'],
  { table }: { readonly table: Table },
): Promise<string[]> {
  const names = of.map(async ({ kind, scope, digest }) => {
    const key = keys.identifier(kind, scope, digest);
    return sealedUnder(key.pk, (await table.get(key))?.erasedAt) ?? [];
  });
  return (await Promise.all(names)).flat();
}

/**
 * Destroys the keys of an erased person: of the cluster that was closed for it, of every cluster that it had taken in, and
 * of the person's identifiers. Nothing is read under them any more, because whoever stays has moved on. Doing it again
 * changes nothing.
 *
 * @throws Error if a cluster that was taken in has not arrived yet: then its rows are still needed
 */
export async function shred(
  cluster: string,
  identifiers: readonly string[],
  { table, shredder }: { readonly table: Table; readonly shredder: Shredder },
): Promise<Shredded> {
  const clusters = await takenIn(cluster, table);
  const former: string[] = [];
  for (const name of identifiers) if (!(await isInUse(name, table))) former.push(name);
  await shredder.shred([...clusters.flatMap((id) => sealedUnder(keys.profile(id).pk) ?? []), ...former]);
  return { clusters: clusters.length, identifiers: former.length };
}

/** Whether an identifier's row is still sealed under a key: one that a later erasure had buried stays as it is. */
async function isInUse(name: string, table: Table): Promise<boolean> {
  const pk = name.slice(0, name.lastIndexOf('@'));
  return sealedUnder(pk, (await table.get({ pk, sk: '@' }))?.erasedAt) === name;
}

/** A cluster and all that it took in, and that those took in before. */
async function takenIn(cluster: string, table: Table): Promise<string[]> {
  const all = [cluster];
  for (const into of all) {
    for await (const { sk } of table.query(keys.taken(into, '').pk)) {
      const row = await table.get(keys.profile(sk));
      if (row?.joined !== into || all.includes(sk)) continue;
      if (row.s !== undefined) throw new Error('a cluster that was taken in has not arrived yet');
      all.push(sk);
    }
  }
  return all;
}
