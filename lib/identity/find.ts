import type { Identifier } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { toIdentifier } from '../events/identifiers.ts';
import { RejectedError } from '../platform/errors.ts';
import { type Cluster, profileIds } from '../profile/cluster.ts';
import { readCluster } from '../profile/read.ts';
import type { QueryDeps } from '../query/route.ts';
import { nameOf, type Partition, partition } from './graph.ts';
import { kindOf } from './kinds.ts';

/** Somebody in their cluster: who they are, and nothing of what they did. */
export interface Somebody {
  readonly cluster: Cluster;
  readonly division: Partition;
  /** Ids of all profiles of the cluster. */
  readonly ids: readonly string[];
  readonly profile: string;
  /** The names of their identifiers. */
  readonly names: readonly string[];
  /** The identifier that they were found by, as it is stored. */
  readonly id: Identifier;
}

interface Wanted {
  readonly kind: string;
  readonly value: string;
  readonly scope?: string | undefined;
}

type FindDeps = Pick<QueryDeps, 'brand' | 'directory' | 'profiles' | 'protector'>;

/**
 * Whom an identifier points to, by who is who alone: no rule is read and nobody is walked. Where a value was not verified
 * it is found under its own kind too; without a scope every scope is tried in which the kind was seen.
 *
 * @throws RejectedError 400 if it is no such identifier, 404 if nobody has it, 409 if several have it in different scopes
 */
export async function findSomebody(wanted: Wanted, deps: FindDeps): Promise<Somebody> {
  const kinds = /^(phone|email)$/.test(wanted.kind)
    ? [wanted.kind, `unverified_${wanted.kind}`]
    : [wanted.kind];
  for (const kind of kinds) {
    const found = await inScopes({ ...wanted, kind }, deps);
    const [only] = found;
    if (!only) continue;
    if (new Set(found.map((it) => it.profile)).size === 1) return only;
    const scopes = found.map(({ id }) => id.scope).join(', ');
    const message = `several profiles have this ${kind}, in different scopes: add one of ${scopes}`;
    throw new RejectedError('ambiguous', message, 409);
  }
  throw new RejectedError('not_found', `no profile has this ${wanted.kind}`, 404);
}

async function inScopes({ kind, value, scope }: Wanted, deps: FindDeps): Promise<Somebody[]> {
  const seen = scope === undefined && kindOf(kind).scope === 'brand' ? await deps.directory.scopes(kind) : [];
  const found = await Promise.all(
    (seen.length > 0 ? seen : [scope]).map((within) => findOne({ kind, value, scope: within }, deps)),
  );
  return found.filter((it) => it !== undefined);
}

async function findOne(wanted: Wanted, deps: FindDeps): Promise<Somebody | undefined> {
  const id = deps.protector.protect(identifierOf(wanted, deps));
  const place = await deps.directory.find(id);
  const cluster = place && (await readCluster(deps.profiles, place.cluster));
  if (!cluster) return undefined;
  const division = partition(cluster.graph);
  const member = division.memberAt(nameOf(id));
  if (member === undefined) return undefined;
  const ids = profileIds(cluster.id, cluster.graph, division);
  const names = division.members[member]?.names ?? [];
  return { cluster, division, ids, profile: ids[member] ?? cluster.id, names, id };
}

/** An identifier as channels give it, in clear. @throws RejectedError 400 if it is none */
export function identifierOf({ kind, value, scope }: Wanted, { brand }: Pick<FindDeps, 'brand'>): Identifier {
  try {
    return toIdentifier({ kind, value, ...(scope !== undefined && { scope }) }, brand);
  } catch (error) {
    if (error instanceof FaultError) throw new RejectedError(error.reason, error.message);
    throw error;
  }
}
