import type { Identifier } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { toIdentifier } from '../events/identifiers.ts';
import type { Directory } from '../identity/directory.ts';
import { nameOf } from '../identity/graph.ts';
import { kindOf, kinds } from '../identity/kinds.ts';
import type { Protector } from '../identity/protect.ts';
import { RejectedError } from '../platform/errors.ts';
import type { Cluster, Profile } from '../profile/cluster.ts';
import type { Rules } from '../profile/person.ts';
import { readCluster, readProfiles } from '../profile/read.ts';
import type { ProfileStore } from '../profile/store.ts';

export interface LookupDeps {
  readonly directory: Directory;
  readonly profiles: ProfileStore;
  readonly protector: Protector;
  readonly now: () => number;
}

export interface Found {
  readonly cluster: Cluster;
  readonly profile: Profile;
}

/** Kinds that are looked at too when a value is not found under the kind that was asked for. */
const ALSO: Record<string, string> = { phone: 'unverified_phone', email: 'unverified_email' };

interface Wanted {
  readonly kind: string;
  readonly value: string;
  readonly scope?: string | undefined;
}

/**
 * The profile that an identifier points to; its value may be written as channels may write it (a phone without its
 * country, mail in capitals). Without a scope every scope is tried in which identifiers of the kind were seen.
 *
 * @throws RejectedError 400 if it is no such identifier, 404 if nobody has it or the kind was never seen, 409 if
 *   different profiles have it in different scopes
 */
export async function lookUp(wanted: Wanted, rules: Rules, deps: LookupDeps): Promise<Found> {
  const { kind } = wanted;
  let found = await inScopes(wanted, rules, deps);
  const also = ALSO[kind];
  if (found.length === 0 && also !== undefined)
    found = await inScopes({ ...wanted, kind: also }, rules, deps);
  const [only] = found;
  if (!only) throw await notFound(kind, deps);
  if (new Set(found.map(({ profile }) => profile.id)).size > 1) {
    const scopes = found.map(({ scope }) => scope).join(', ');
    throw new RejectedError(
      'ambiguous',
      `several profiles have this ${kind}, in different scopes: add ?scope= with one of ${scopes}`,
      409,
    );
  }
  return only;
}

/**
 * The same, for what is made of a person: of who is restricted nothing is.
 *
 * @throws RejectedError 409 if they are
 */
export async function lookUpUsed(wanted: Wanted, rules: Rules, deps: LookupDeps): Promise<Found> {
  const found = await lookUp(wanted, rules, deps);
  const { restricted } = found.profile.person;
  if (restricted === undefined) return found;
  throw new RejectedError(
    'restricted',
    `at their request nothing of theirs is used, since ${restricted}`,
    409,
  );
}

/** Who has the identifier, in each scope. */
async function inScopes(
  { kind, value, scope }: Wanted,
  rules: Rules,
  deps: LookupDeps,
): Promise<(Found & { readonly scope: string })[]> {
  const seen = scope === undefined && kindOf(kind).scope === 'brand' ? await deps.directory.scopes(kind) : [];
  const scopes = seen.length > 0 ? seen : [scope];
  const found = await Promise.all(
    scopes.map(async (within) => {
      const id = deps.protector.protect(identifierOf({ kind, value, scope: within }, rules));
      const place = await deps.directory.find(id);
      const cluster = place && (await readCluster(deps.profiles, place.cluster));
      if (!cluster) return undefined;
      const profiles = await readProfiles(deps.profiles, cluster, rules, deps.now());
      const profile = profiles.find(({ names }) => names.includes(nameOf(id)));
      return profile && { cluster, profile, scope: id.scope };
    }),
  );
  return found.filter((it) => it !== undefined);
}

function identifierOf({ kind, value, scope }: Wanted, { brand }: Rules): Identifier {
  try {
    return toIdentifier({ kind, value, ...(scope !== undefined && { scope }) }, brand);
  } catch (error) {
    if (error instanceof FaultError) throw new RejectedError(error.reason, error.message);
    throw error;
  }
}

async function notFound(kind: string, { directory }: LookupDeps): Promise<RejectedError> {
  if (Object.hasOwn(kinds, kind) || (await directory.scopes(kind)).length > 0)
    return new RejectedError('not_found', `no profile has this ${kind}`, 404);
  const known = Object.keys(kinds).join(', ');
  return new RejectedError(
    'unknown_kind',
    `no identifier of this kind was ever seen; the standard kinds are ${known}`,
    404,
  );
}
