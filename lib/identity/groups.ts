import type { Event, Identifier } from '../events/event.ts';
import { isDecision } from './decisions.ts';
import type { Place } from './directory.ts';
import { type Attachment, homeOf, isBefore, isStatement, nameOf, ranked, statementsOf } from './graph.ts';
import { isStrong } from './kinds.ts';
import { firstOwners, markOf, showingOf } from './owners.ts';

/** Events that have to be folded into one cluster. */
export interface Group {
  readonly events: readonly Event[];
  /** Clusters that their identifiers belong to; more than one: they have to be joined. */
  readonly clusters: readonly string[];
  /** Identifiers that nobody has claimed yet. */
  readonly unclaimed: readonly Identifier[];
  /** Names of weak identifiers that stay where they are. */
  readonly foreign: ReadonlySet<string>;
}

/**
 * Puts events together that say something of one another's identity.
 *
 * Strong identifiers on one event tie their clusters. A weak one does so only if the event is the first that shows it
 * beside a strong one, or among weak ones: any other showing changes nothing, so a device that a thousand members have
 * used ties none of them. A decision ties what it is about: it has to stand in the graph that holds both.
 */
export function groupEvents(events: readonly Event[], places: ReadonlyMap<string, Place>): Group[] {
  const tie = ties();
  const node = (name: string): string => {
    const place = places.get(name);
    return place ? `cluster ${place.cluster}` : `new ${name}`;
  };

  const first = firstStatements(events, places);
  for (const event of events) {
    const home = nameOf(homeOf(event));
    for (const id of ranked(event)) {
      const name = nameOf(id);
      if (isStrong(id) || isDecision(event) || first.get(name)?.has(event.id))
        tie.join(node(home), node(name));
    }
  }

  return [...Map.groupBy(events, (event) => tie.find(node(nameOf(homeOf(event))))).entries()].map(
    ([root, together]) => {
      const ids = new Map(together.flatMap((event) => event.identifiers).map((id) => [nameOf(id), id]));
      const inside = [...ids].filter(([name]) => tie.find(node(name)) === root);
      return {
        events: together,
        clusters: [...new Set(inside.flatMap(([name]) => places.get(name)?.cluster ?? []))],
        unclaimed: inside.filter(([name]) => !places.has(name)).map(([, id]) => id),
        foreign: new Set([...ids.keys()].filter((name) => tie.find(node(name)) !== root)),
      };
    },
  );
}

/**
 * For each weak identifier, the events that are, or would become, the first of one of its registers. One that is the
 * first already is among them: its place may have been written and its cluster not yet.
 */
function firstStatements(
  events: readonly Event[],
  places: ReadonlyMap<string, Place>,
): Map<string, Set<string>> {
  const best = new Map<string, Attachment>();
  for (const event of events) {
    for (const [name, said] of statementsOf(event).attachments) {
      const known = best.get(name);
      const place = places.get(name);
      const beats = (
        a: Attachment['beside' | 'among'],
        b: Attachment['beside' | 'among'],
        c: Place['beside'],
      ) => a && (!b || isBefore(a, b)) && (!c || !isBefore(c, a));
      best.set(name, {
        beside: beats(said.beside, known?.beside, place?.beside) ? said.beside : known?.beside,
        among: beats(said.among, known?.among, place?.among) ? said.among : known?.among,
      });
    }
  }
  return new Map(
    [...best].map(([name, { beside, among }]) => [
      name,
      new Set([beside?.event, among?.event].filter((event) => event !== undefined)),
    ]),
  );
}

/**
 * What events tell clusters that are not theirs: that a weak identifier which those hold was seen beside somebody else.
 * Only what may be new: a place knows those who came first, so a till that is known to be one costs nothing any more.
 *
 * @returns the showings, each with the id of the event that makes it
 */
export function showingsOf(
  events: readonly Event[],
  places: ReadonlyMap<string, Place>,
): { readonly of: string; readonly showing: Event }[] {
  const all = events.flatMap((event) => {
    const [first] = ranked(event);
    if (isStatement(event) || !first || !isStrong(first)) return [];
    const owner = nameOf(first);
    const weak = event.identifiers.filter((id) => !isStrong(id));
    return weak.map((id) => ({ event, id, weak: nameOf(id), owner }));
  });
  const perWeak = Map.groupBy(all, ({ weak }) => weak);
  return all.flatMap(({ event, id, weak, owner }) => {
    const place = places.get(weak);
    const isAlone = !place && new Set(perWeak.get(weak)?.map((it) => it.owner)).size === 1;
    if (isAlone || (place && place.cluster === places.get(owner)?.cluster)) return [];
    const known = place?.owners;
    const told = { by: markOf(owner), at: event.occurredAt };
    if (known && JSON.stringify(firstOwners(known, [told])) === JSON.stringify(firstOwners(known))) return [];
    return [{ of: event.id, showing: showingOf(event, id, owner) }];
  });
}

/** Union–find by name. */
function ties() {
  const parents = new Map<string, string>();
  const find = (name: string): string => {
    const parent = parents.get(name);
    return parent === undefined ? name : find(parent);
  };
  return {
    find,
    join(a: string, b: string): void {
      const x = find(a);
      const y = find(b);
      if (x !== y) parents.set(y, x);
    },
  };
}
