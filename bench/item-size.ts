// Where the bytes of a profile's row are: each part's share of what is stored, by leaving it out.
import { itemBytes } from '../infra/local/units.ts';
import { emptyGraph } from '../lib/identity/graph.ts';
import type { Item } from '../lib/platform/table.ts';
import { type Packed, pack, unpack } from '../lib/profile/codec.ts';
import { emptyPerson } from '../lib/profile/person.ts';
import { wire } from './metered.ts';

export interface ItemSize {
  readonly row: number;
  /** The compressed state alone. */
  readonly state: number;
  readonly identifiers: number;
  readonly tailEvents: number;
  /** Part → bytes that the row would be shorter without it. Parts share words, so they sum to less than the whole. */
  readonly parts: Readonly<Record<string, number>>;
}

const without: Readonly<Record<string, (it: Packed) => Packed>> = {
  tail: (it) => ({ ...it, tail: [] }),
  'tail: ids': (it) => ({ ...it, tail: it.tail.map((event) => ({ ...event, id: '' })) }),
  'tail: properties': (it) => ({ ...it, tail: it.tail.map((event) => ({ ...event, properties: {} })) }),
  'tail: context': (it) => ({
    ...it,
    tail: it.tail.map((event) => ({
      ...event,
      context: { verified: event.context.verified, timeSource: event.context.timeSource },
    })),
  }),
  'tail: times': (it) => ({
    ...it,
    tail: it.tail.map((event) => ({ ...event, occurredAt: it.createdAt, receivedAt: it.createdAt })),
  }),
  cells: (it) => ({ ...it, people: it.people.map((person) => ({ ...person, cells: {} })) }),
  traits: (it) => ({ ...it, people: it.people.map((person) => ({ ...person, traits: new Map() })) }),
  'tags (of the frontier)': (it) => ({
    ...it,
    people: it.people.map((person) => ({ ...person, tags: new Map() })),
  }),
  'activity (of the frontier)': (it) => ({
    ...it,
    people: it.people.map((person) => ({ ...person, activity: undefined })),
  }),
  people: (it) => ({ ...it, people: it.people.map(() => emptyPerson()) }),
  shown: (it) => ({ ...it, shown: new Map() }),
  outbox: (it) => ({ ...it, outbox: [] }),
  'edges and attachments': (it) => ({
    ...it,
    graph: { ...it.graph, edges: new Map(), attachments: new Map(), decisions: new Map() },
  }),
};

/** Measures a profile's row. */
export function sizeOf(item: Item): ItemSize | undefined {
  if (!(item.s instanceof Uint8Array)) return undefined;
  const whole = unpack(item.s, String(item.pk).slice(2));
  const state = pack(whole).length;
  const parts = Object.fromEntries(
    Object.entries(without).map(([part, leave]) => [part, state - pack(leave(whole)).length]),
  );
  // Events name identifiers by their place: they go together, and then the events are put back.
  const nobody = { ...whole, tail: whole.tail.map((event) => ({ ...event, identifiers: [] })) };
  parts['identity (identifiers, edges, attachments)'] =
    pack(nobody).length - pack({ ...nobody, graph: emptyGraph() }).length;
  const { pk, sk, s: _, tags, due, w, ...rest } = item;
  parts['in clear: key'] = itemBytes(wire({ pk, sk })) + itemBytes(wire(rest)) + 1;
  if (tags !== undefined) parts['in clear: tags'] = itemBytes(wire({ tags }));
  if (due !== undefined && w !== undefined) parts['in clear: due entry'] = itemBytes(wire({ due, w }));
  return {
    row: itemBytes(wire(item)),
    state,
    identifiers: whole.graph.identifiers.size,
    tailEvents: whole.tail.length,
    parts,
  };
}
