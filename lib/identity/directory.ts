import { z } from 'zod';
import { type Identifier, instant } from '../events/event.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import { type Graph, nameOf } from './graph.ts';
import { owner } from './owners.ts';
import type { Protector } from './protect.ts';

const seen = z.object({ at: instant, event: z.string() });

/**
 * Where an identifier belongs. The cluster may have gone on into another one since: its row says where. The sightings
 * are those of the weak identifier's registers when this was written; the registers can only be earlier.
 */
const place = z.object({
  cluster: z.string(),
  beside: seen.optional(),
  among: seen.optional(),
  owners: z.array(owner).optional(),
  /** When the person whom it stood for was erased: what happened before is nothing any more. */
  erasedAt: instant.optional(),
});
export type Place = z.infer<typeof place>;

/** How many places are remembered between messages; the oldest go first. */
const REMEMBERED = 50_000;

/**
 * Identifier → cluster. Places never move but along redirects, so what is remembered stays true, but for one thing: an
 * erasure leaves a redirect behind it, and whoever comes by one looks again (`refresh`).
 */
export function directory(table: Table, protector: Pick<Protector, 'digest'>) {
  const remembered = new Map<string, Place>();
  const scopes = new Set<string>();
  const key = (id: Identifier) => keys.identifier(id.kind, id.scope, protector.digest(id));

  const remember = (id: Identifier, it: Place): Place => {
    remembered.set(nameOf(id), it);
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    return it;
  };
  const read = async (id: Identifier): Promise<Place | undefined> => {
    const row = await table.get(key(id));
    return row && remember(id, place.parse(row));
  };
  const noteScope = async ({ kind, scope }: Identifier): Promise<void> => {
    const row = keys.scope(kind, scope);
    if (scopes.has(row.pk + row.sk)) return;
    await table.put({ ...row });
    scopes.add(row.pk + row.sk);
  };

  /** Puts a place, unless the identifier was erased since its place was read: then it is read anew when it is needed. */
  const put = async (id: Identifier, is: Place): Promise<void> => {
    const row: Item = { ...key(id), ...is, ...tombstone(is.erasedAt) };
    const version = tombstone(is.erasedAt).v;
    try {
      await table.put(row, version === undefined ? { kind: 'unversioned' } : { kind: 'version', version });
      remember(id, is);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      remembered.delete(nameOf(id));
    }
  };

  return {
    /** Where an identifier belongs, if anybody has claimed it. */
    async find(id: Identifier): Promise<Place | undefined> {
      return remembered.get(nameOf(id)) ?? read(id);
    },

    /** Claims an identifier that nobody has; answers where it belongs now, to us or to who was first. */
    async claim(id: Identifier, mine: Place): Promise<Place> {
      await noteScope(id);
      try {
        await table.put({ ...key(id), ...mine }, { kind: 'absent' });
        return remember(id, mine);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        return (await read(id)) ?? mine;
      }
    },

    /** Writes anew where the identifiers of a cluster are, where that differs from what is remembered. */
    async point(graph: Graph, cluster: string, names: Iterable<string>): Promise<void> {
      for (const name of names) {
        const id = graph.identifiers.get(name);
        if (!id) continue;
        const known = remembered.get(name);
        const erasedAt = known?.erasedAt;
        const is: Place = { ...placeIn(graph, cluster, name), ...(erasedAt !== undefined && { erasedAt }) };
        if (JSON.stringify(is) !== JSON.stringify(known)) await put(id, is);
      }
    },

    /** Looks again where those identifiers are that were thought to be in one of some clusters. */
    async refresh(ids: readonly Identifier[], clusters: ReadonlySet<string>): Promise<void> {
      const old = ids.filter((id) => clusters.has(remembered.get(nameOf(id))?.cluster ?? ''));
      await Promise.all(old.map(read));
    },

    /** Scopes in which identifiers of a kind were seen. */
    async scopes(kind: string): Promise<string[]> {
      const found: string[] = [];
      for await (const row of table.query(keys.scope(kind, '').pk)) found.push(row.sk);
      return found;
    },
  };
}

export type Directory = ReturnType<typeof directory>;

/** What guards the row of an identifier whose person was erased: who does not know of it puts nothing over it. */
export const tombstone = (erasedAt: string | undefined): { v?: number } =>
  erasedAt === undefined ? {} : { v: Date.parse(erasedAt) };

/** An identifier's place as its cluster's graph has it. */
export function placeIn(graph: Graph, cluster: string, name: string): Place {
  const { beside, among, owners } = graph.attachments.get(name) ?? {};
  return {
    cluster,
    ...(beside && { beside: { at: beside.at, event: beside.event } }),
    ...(among && { among: { at: among.at, event: among.event } }),
    ...(owners && { owners: owners.map(({ by, at }) => ({ by, at })) }),
  };
}
