import type { Event, Identifier } from '../../../lib/events/event.ts';
import { type Decided, decisionsIn, isDecision } from './decided.ts';
import { byText, distinct } from './order.ts';

const strongKinds = [
  'member_id',
  'wechat_unionid',
  'customer_id',
  'shopify_customer_id',
  'stripe_customer_id',
  'wecom_external_userid',
  'douyin_union_id',
  'youzan_open_id',
  'weimob_wid',
  'phone',
  'email',
];
const weakKinds = [
  'wechat_openid',
  'douyin_open_id',
  'doudian_open_id',
  'taobao_buyer_open_uid',
  'feishu_open_id',
  'dingtalk_userid',
  'unverified_phone',
  'unverified_email',
  'anonymous_id',
  'device_id',
  'order_id',
];
const allKinds = [...strongKinds, ...weakKinds];

/** So many strong identifiers one profile may have. */
const MOST_STRONG = 64;

/** Who is who. */
export interface Identities {
  /** Each with at least one event, ordered by their names. */
  readonly profiles: readonly {
    /** Sorted as text, without repetition. */
    readonly names: readonly string[];
    /** In order of (time, id). */
    readonly events: readonly Event[];
  }[];
  /** Pairs of strong identifiers that met on an event and were not joined, with the first such event. */
  readonly reviews: readonly { readonly pair: readonly [string, string]; readonly event: string }[];
}

export const nameOf = ({ kind, scope, value }: Identifier): string => `${kind} ${scope} ${value}`;

const isStrong = (id: Identifier) => strongKinds.includes(id.kind);
const rankOf = (id: Identifier) => (allKinds.includes(id.kind) ? allKinds.indexOf(id.kind) : allKinds.length);

/** Distinct identifiers, strongest kind first, then by scope and value. */
function ranked(ids: readonly Identifier[]): Identifier[] {
  const distinctIds = [...new Map(ids.map((id) => [nameOf(id), id])).values()];
  return distinctIds.sort(
    (a, b) =>
      rankOf(a) - rankOf(b) || byText(a.kind, b.kind) || byText(a.scope, b.scope) || byText(a.value, b.value),
  );
}

const strongOf = (event: Event) => ranked(event.identifiers.filter(isStrong));
const weakOf = (event: Event) => ranked(event.identifiers.filter((id) => !isStrong(id)));

/** The profiles that a set of events makes, by reading the events in the order of their times, and what people decided. */
export function identities(given: readonly Event[]): Identities {
  const events = distinct(given.filter((event) => !isDecision(event)));
  const decided = decisionsIn(given, nameOf);
  const { componentOf, reviews } = joinStrong(events, decided);

  const strongSighting = new Map<string, Event>(); // S: the first event with a strong identifier and this weak one
  const weakSighting = new Map<string, Event>(); // K: the first event of weak identifiers only with this one
  for (const event of events) {
    const sightings = strongOf(event).length > 0 ? strongSighting : weakSighting;
    for (const weak of weakOf(event)) if (!sightings.has(nameOf(weak))) sightings.set(nameOf(weak), event);
  }
  const shared = sharedAmong(events);
  const primaryOf = (event: Event) => nameOf(weakOf(event)[0]!);
  const rootOf = (weak: string): string => {
    const seen = weakSighting.get(weak);
    const leader = seen ? primaryOf(seen) : weak;
    if (leader === weak || shared.has(weak) || shared.has(leader) || decided.areApart(leader, weak))
      return weak;
    return rootOf(leader);
  };

  /** Root of a group → the component that owns it. */
  const ownerOf = new Map<string, Set<string>>();
  for (const event of events)
    if (strongOf(event).length > 0)
      for (const weak of weakOf(event)) {
        const root = rootOf(nameOf(weak));
        const isFirst = strongSighting.get(nameOf(weak)) === event;
        const [owner] = strongOf(event);
        if (!isFirst || shared.has(nameOf(weak)) || decided.areApart(nameOf(owner!), nameOf(weak))) continue;
        if (!ownerOf.has(root)) ownerOf.set(root, componentOf(owner!));
      }
  for (const pair of decided.together) {
    const [strong] = pair.filter(isStrong);
    const [weak] = pair.filter((id) => !isStrong(id));
    if (strong && weak) ownerOf.set(rootOf(nameOf(weak)), componentOf(strong));
  }

  /** A component, or the root of a group that nobody owns. */
  const homeOfWeak = (weak: string) => ownerOf.get(rootOf(weak)) ?? rootOf(weak);
  const homeOf = (event: Event) => {
    const [strong] = strongOf(event);
    return strong ? componentOf(strong) : homeOfWeak(primaryOf(event));
  };
  const homes = Map.groupBy(events, homeOf);

  const everyWeak = new Set([
    ...strongSighting.keys(),
    ...weakSighting.keys(),
    ...decided.all.filter((id) => !isStrong(id)).map(nameOf),
  ]);
  const profiles = [...homes].map(([home, own]) => ({
    names: [
      ...(typeof home === 'string' ? [] : home),
      ...[...everyWeak].filter((weak) => homeOfWeak(weak) === home),
    ].sort(byText),
    events: own,
  }));
  profiles.sort((a, b) => byText(a.names.join('\n'), b.names.join('\n')));
  return { profiles, reviews };
}

const HOURS_24 = 24 * 60 * 60 * 1000;

/**
 * Weak identifiers with too many owners: four of one kind and scope who were first seen on it within 24 hours, or sixteen
 * at all. An owner is whatever comes first on an event.
 */
function sharedAmong(events: readonly Event[]): Set<string> {
  const owners = new Map<string, Map<string, { slot: string; at: number }>>();
  for (const event of events) {
    const [owner] = strongOf(event);
    if (!owner) continue;
    for (const weak of weakOf(event)) {
      const known = owners.get(nameOf(weak)) ?? new Map();
      owners.set(nameOf(weak), known);
      const first = { slot: `${owner.kind} ${owner.scope}`, at: Date.parse(event.occurredAt) };
      if (!known.has(nameOf(owner))) known.set(nameOf(owner), first); // events come in order
    }
  }
  const isCrowded = ({ slot, at }: { slot: string; at: number }, all: { slot: string; at: number }[]) =>
    all.filter((it) => it.slot === slot && it.at >= at && it.at <= at + HOURS_24).length > 3;
  return new Set(
    [...owners].flatMap(([weak, by]) => {
      const all = [...by.values()];
      return all.length >= 16 || all.some((it) => isCrowded(it, all)) ? [weak] : [];
    }),
  );
}

/** Joins strong identifiers that meet on events; each component is one set, shared by all that are in it. */
function joinStrong(events: readonly Event[], decided: Decided) {
  const components = new Map<string, Set<string>>();
  const identifiers = new Map<string, Identifier>();
  for (const id of [...events.flatMap(strongOf), ...decided.all.filter(isStrong)]) {
    identifiers.set(nameOf(id), id);
    components.set(nameOf(id), new Set([nameOf(id)]));
  }
  const componentOf = (id: Identifier) => components.get(nameOf(id))!;

  const reviews: { pair: readonly [string, string]; event: string }[] = [];
  for (const event of events.filter(({ type }) => type !== 'identity_unlinked'))
    for (const [i, a] of strongOf(event).entries())
      for (const b of strongOf(event).slice(i + 1)) {
        if (componentOf(a) === componentOf(b) || decided.areApart(nameOf(a), nameOf(b))) continue;
        const union = new Set([...componentOf(a), ...componentOf(b)]);
        const kindsAndScopes = [...union].map((name) => {
          const id = identifiers.get(name)!;
          return `${id.kind} ${id.scope}`;
        });
        if (new Set(kindsAndScopes).size === union.size && union.size <= MOST_STRONG) {
          for (const name of union) components.set(name, union);
        } else if (!reviews.some(({ pair }) => pair[0] === nameOf(a) && pair[1] === nameOf(b))) {
          reviews.push({ pair: [nameOf(a), nameOf(b)], event: event.id });
        }
      }
  for (const [a, b] of decided.together) {
    if (!isStrong(a) || !isStrong(b)) continue;
    const union = new Set([...componentOf(a), ...componentOf(b)]);
    for (const name of union) components.set(name, union);
  }
  return {
    componentOf,
    reviews: reviews.filter(({ pair: [a, b] }) => components.get(a) !== components.get(b)),
  };
}
