import { createHash } from 'node:crypto';
import type { Event, Identifier } from '../events/event.ts';
import { nameOf, partition } from '../identity/graph.ts';
import type { Protector } from '../identity/protect.ts';
import { toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import type { Cluster } from '../profile/cluster.ts';
import { newCluster } from '../profile/fold.ts';
import { live, whole } from '../profile/join.ts';
import type { Rules } from '../profile/person.ts';
import type { SettleDeps } from '../profile/settle.ts';
import type { Erasing } from '../profile/store.ts';
import { type Remainder, without } from './erased.ts';

/** Whom an erasure takes out of which cluster. */
export interface Plan extends Remainder {
  readonly cluster: Cluster;
  /** Where everybody else goes. */
  readonly into: string;
  readonly erasing: Erasing;
}

/** The id of the cluster that comes after one: nobody has it yet, and who asks again gets the same. */
const successor = (cluster: string, request: string): string =>
  createHash('sha256').update(`${cluster} ${request}`).digest('base64url').slice(0, 16);

/**
 * Plans to erase the profile that an identifier points to: as it is now, with all its identifiers; nothing if there is none.
 *
 * @param id as it is stored
 * @param request what tells this erasure from others
 */
export async function planErasure(
  id: Identifier,
  request: string,
  rules: Rules,
  deps: SettleDeps,
): Promise<Plan | undefined> {
  const place = await deps.directory.find(id);
  const cluster = place && (await whole(place.cluster, rules, deps));
  if (!cluster || 'unwritten' in cluster) return undefined;
  const division = partition(cluster.graph);
  const member = division.memberAt(nameOf(id));
  if (member === undefined) return undefined;
  const events = await deps.profiles.events(cluster);
  const at = latest(toIso(deps.now()), events);
  const remainder = without(cluster.graph, division, member, events, at);
  const erasing = { at, of: digested(remainder, division.members[member]?.names ?? [], deps.protector) };
  return { ...remainder, cluster, into: successor(cluster.id, request), erasing };
}

/**
 * Erases: closes the cluster and opens one without the person in its place, by the way that a join goes. From the first
 * write on it happens, whoever ends it. @throws ConflictError if the cluster is not as it was planned on: plan again
 */
export async function erase(
  { cluster, into, erasing }: Pick<Plan, 'cluster' | 'into' | 'erasing'>,
  rules: Rules,
  deps: SettleDeps,
): Promise<void> {
  await open(into, cluster, rules, deps);
  await deps.profiles.freeze(cluster, into, toIso(deps.now()), erasing);
  await live(cluster.id, rules, deps);
}

/**
 * Puts the successor before anybody can be sent there, a millisecond older than who it comes after: of two clusters the older
 * takes in the other, so that whoever still knows the old one does not send the new one back to it.
 */
async function open(
  into: string,
  { createdAt }: Cluster,
  rules: Rules,
  { profiles }: SettleDeps,
): Promise<void> {
  const older = toIso(Date.parse(createdAt) - 1);
  try {
    await profiles.put({ ...newCluster(into, older, rules), version: 1 });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error; // opened before, by an attempt that did not close the old one
  }
}

/** The person's own identifiers first: the first says who it is. Those that others had at other times make no tombstones. */
function digested(
  { gone, shared }: Remainder,
  own: readonly string[],
  { digest }: Pick<Protector, 'digest'>,
): Erasing['of'] {
  const rank = (id: Identifier) => (own.includes(nameOf(id)) ? 0 : 1);
  return [...gone.map((id) => ({ id })), ...shared.map((id) => ({ id, shared: true as const }))]
    .sort((a, b) => rank(a.id) - rank(b.id))
    .map(({ id, ...rest }) => ({ ...id, digest: digest(id), ...rest }));
}

/** A sender's clock may be ahead: what is there counts as before. */
const latest = (now: string, events: readonly Event[]): string =>
  events.reduce((last, { occurredAt }) => (occurredAt > last ? occurredAt : last), now);
