import type { ConversionRow } from '../../lib/attribution/row.ts';
import { conversionStore } from '../../lib/attribution/store.ts';
import { identifier as identifierShape } from '../../lib/events/event.ts';
import { nameOf } from '../../lib/identity/graph.ts';
import { toIso } from '../../lib/platform/clock.ts';
import type { Item } from '../../lib/platform/table.ts';
import { type Cluster, type Profile, profilesOf } from '../../lib/profile/cluster.ts';
import { readHistory } from '../../lib/profile/history.ts';
import { traitsOf, viewOf } from '../../lib/profile/person.ts';
import { isRedirect, profileStore } from '../../lib/profile/store.ts';
import { nextChange } from '../../lib/tags/changes.ts';
import type { MemoryTable } from '../platform/memory.ts';
import type { ExpectedConversion, ExpectedCredit } from './oracle/attribution.ts';
import type { ExpectedPerson, ExpectedWorld } from './oracle/oracle.ts';
import { byText } from './oracle/order.ts';
import type { Shared } from './wiring.ts';

/**
 * What a table says of the world, in the oracle's words: profiles and traits as they are read, tags from their
 * members' rows, conversions and reviews from theirs. Identifiers are as they are stored, personal ones encrypted.
 *
 * @throws Error if rows contradict one another: a member that is nobody, a tag shown and not listed, a join not ended
 */
export async function seenWorld(table: MemoryTable, shared: Shared, now: number): Promise<ExpectedWorld> {
  const rows = table.rows();
  const store = profileStore(table);
  const members = membersIn(rows);
  const profiles: ExpectedPerson[] = [];
  for (const { pk, sk } of rows) {
    if (!pk.startsWith('P#') || sk !== '@') continue;
    const cluster = await store.get(pk.slice(2));
    if (!cluster || isRedirect(cluster)) {
      if (cluster?.left) throw new Error(`the join of ${pk} was begun and not ended`);
      continue;
    }
    const history = await readHistory(store, cluster.id);
    const conversions = await conversionsOf(table, cluster.id);
    for (const profile of profilesOf(cluster, shared.rules, now)) {
      const events = history?.people.find((it) => it.profile === profile.id)?.events ?? [];
      const tags = members.get(profile.id) ?? [];
      members.delete(profile.id);
      checkShown(cluster, profile, tags);
      if (events.length === 0) continue;
      profiles.push({
        names: profile.names.map((name) => oracleName(cluster, name)).sort(byText),
        events: events.map(({ id }) => id),
        ...portrait(profile, shared, now),
        tags,
        conversions: (conversions.get(profile.id) ?? []).map(expectedOf).sort(byAge),
      });
      conversions.delete(profile.id);
    }
    for (const [profile, left] of conversions)
      throw new Error(`${left.length} conversions of ${profile}, who is nobody`);
  }
  for (const [profile, tags] of members)
    throw new Error(`${profile} is nobody and holds ${tags.map(({ tag }) => tag)}`);
  profiles.sort((a, b) => byText(a.names.join('\n'), b.names.join('\n')));
  return { profiles, reviews: reviewsIn(rows) };
}

/** The members of all tags, by profile. */
function membersIn(rows: readonly Item[]): Map<string, ExpectedPerson['tags'][number][]> {
  const members = new Map<string, ExpectedPerson['tags'][number][]>();
  for (const { pk, sk, value, since, gone } of rows) {
    if (!pk.startsWith('T#') || gone === true) continue;
    if ((value !== true && typeof value !== 'string') || typeof since !== 'string')
      throw new Error(`${pk} ${sk} is no member's row`);
    const tag = { tag: pk.split('#')[1] ?? '', value, since };
    members.set(sk, [...(members.get(sk) ?? []), tag]);
  }
  for (const tags of members.values()) tags.sort((a, b) => byText(a.tag, b.tag));
  return members;
}

/** What stands in the profile's row must be what stands in its members' rows. */
function checkShown(cluster: Cluster, { id }: Profile, tags: ExpectedPerson['tags']): void {
  const shown = [...(cluster.shown.get(id)?.tags ?? [])]
    .map(([tag, { value, since }]) => ({ tag, value, since: toIso(since) }))
    .sort((a, b) => byText(a.tag, b.tag));
  if (JSON.stringify(shown) !== JSON.stringify(tags))
    throw new Error(`${id} shows ${JSON.stringify(shown)} and is listed with ${JSON.stringify(tags)}`);
}

function portrait({ person }: Profile, { rules }: Shared, now: number) {
  const next = nextChange(rules.book, viewOf(person), Math.max(now, person.walkedTo), { limit: 100_000 });
  return {
    traits: traitsOf(person),
    firstSeenAt: person.first?.at ?? '',
    lastSeenAt: person.last?.at ?? '',
    nextChangeAt: next ? toIso(next.at) : null,
  };
}

function oracleName({ graph }: Cluster, name: string): string {
  const id = graph.identifiers.get(name);
  if (!id || nameOf(id) !== name) throw new Error('an identifier is not what it is called');
  return `${id.kind} ${id.scope} ${id.value}`;
}

async function conversionsOf(table: MemoryTable, cluster: string): Promise<Map<string, ConversionRow[]>> {
  const found = new Map<string, ConversionRow[]>();
  for await (const row of conversionStore(table, () => 0).list(cluster)) {
    const profile = row.id.slice(0, row.id.lastIndexOf('.'));
    found.set(profile, [...(found.get(profile) ?? []), row]);
  }
  return found;
}

const UNATTRIBUTED = '(unattributed)';

function expectedOf({ conversion, path: { touches }, credits }: ConversionRow): ExpectedConversion {
  const { goal, reference, at, eventId, value, refunded } = conversion;
  const shares = (model: keyof ExpectedConversion['credits']): ExpectedCredit[] =>
    (credits[model] ?? []).map((credit) => {
      const touch = credit.touch === null ? undefined : touches[credit.touch];
      return {
        event: touch?.eventId ?? UNATTRIBUTED,
        channel: touch?.channel ?? UNATTRIBUTED,
        ppm: credit.ppm,
        gross: credit.gross,
        refunded: credit.refunded,
      };
    });
  return {
    goal,
    reference,
    at,
    event: eventId,
    value,
    refunded,
    path: touches.map((touch) => touch.eventId),
    credits: {
      first: shares('first'),
      last: shares('last'),
      linear: shares('linear'),
      time_decay: shares('time_decay'),
      composite: shares('composite'),
    },
  };
}

const byAge = (a: ExpectedConversion, b: ExpectedConversion) =>
  byText(a.at, b.at) || byText(a.event, b.event) || byText(a.reference, b.reference);

function reviewsIn(rows: readonly Item[]): ExpectedWorld['reviews'] {
  const name = (stored: unknown): string => {
    const { kind, scope, value } = identifierShape.parse(stored);
    return `${kind} ${scope} ${value}`;
  };
  return rows
    .filter(({ pk, gone }) => pk === 'U#review' && gone !== true)
    .map(({ a, b, event }) => ({ pair: [name(a), name(b)] as const, event: String(event) }));
}
