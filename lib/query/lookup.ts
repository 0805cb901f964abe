import type { Directory } from '../identity/directory.ts';
import { nameOf } from '../identity/graph.ts';
import { kindOf } from '../identity/kinds.ts';
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

/**
 * The profile that an identifier points to. Without a scope every scope is tried in which identifiers of the kind
 * were seen, the kind's usual one first.
 *
 * @throws RejectedError 404 if nobody has the identifier, 409 if it is somebody else's in another scope
 */
export async function lookUp(
  { kind, value, scope }: { kind: string; value: string; scope?: string },
  rules: Rules,
  deps: LookupDeps,
): Promise<Found> {
  const found = new Map<string, Found>();
  for (const each of [kind, ALSO[kind]].filter((it) => it !== undefined)) {
    const usual = kindOf(each).scope === 'brand' ? rules.brand.name : kindOf(each).scope;
    const scopes = scope === undefined ? new Set([usual, ...(await deps.directory.scopes(each))]) : [scope];
    for (const within of scopes) {
      const id = deps.protector.protect({ kind: each, scope: within, value });
      const place = await deps.directory.find(id);
      const cluster = place && (await readCluster(deps.profiles, place.cluster));
      if (!cluster) continue;
      const profiles = await readProfiles(deps.profiles, cluster, rules, deps.now());
      const profile = profiles.find(({ names }) => names.includes(nameOf(id)));
      if (profile) found.set(profile.id, { cluster, profile });
    }
    if (found.size > 0) break;
  }
  const [only, ...others] = [...found.values()];
  if (!only) throw new RejectedError('not_found', `no profile has this ${kind}`, 404);
  if (others.length > 0) {
    throw new RejectedError(
      'ambiguous',
      `several profiles have this ${kind}, in different scopes: name one by ?scope=`,
      409,
    );
  }
  return only;
}
