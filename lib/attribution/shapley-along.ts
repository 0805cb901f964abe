import type { Counts } from './paths.ts';
import { type Coalitions, shownPartsOf } from './shapley-coalitions.ts';

/** What coalitions are worth. */
export interface Worth {
  readonly nobody: number;
  /** Of a coalition that no path shows. */
  readonly unseen: number;
  readonly of: (coalition: Counts) => number;
}

/** What is there when nobody, the first, the first two, … members of an order have joined. */
type Along = (order: Uint32Array) => Float64Array;

/** Each coalition as it is, whatever is part of it. */
export function worthAlong(members: readonly number[], all: Coalitions, worth: Worth): Along {
  const joined = new Uint8Array(members.length);
  const found = new Float64Array(members.length + 1);
  return (order) => {
    joined.fill(0);
    found[0] = worth.nobody;
    for (const [at, member] of order.entries()) {
      joined[member] = 1;
      let place = 0;
      for (let i = 0; i < members.length && place >= 0; i++)
        if (joined[i] === 1) place = all.step(place, members[i]!);
      const coalition = all.at(place);
      found[at + 1] = coalition ? worth.of(coalition) : worth.unseen;
    }
    return found;
  };
}

/**
 * Each coalition as the best that is part of it. A coalition that paths show counts from the moment on when the last of
 * its members has joined: taken from the best down, only one that is complete earlier than all better ones matters.
 * What no path shows has one worth: it only matters from when on there is one.
 */
export function bestAlong(members: readonly number[], all: Coalitions, worth: Worth): Along {
  const parts = shownPartsOf(members, all)
    .map(({ indices, coalition }) => ({ indices, worth: worth.of(coalition) }))
    .sort((a, b) => b.worth - a.worth);
  const worths = Float64Array.from(parts, (it) => it.worth);
  const first = Uint32Array.from([0, ...parts.map((it) => it.indices.length)]);
  for (let i = 1; i < first.length; i++) first[i]! += first[i - 1]!;
  const indices = Uint32Array.from(parts.flatMap((it) => it.indices));
  const joinedAt = new Uint32Array(members.length);
  const best = new Float64Array(members.length + 1);

  /** When the part is complete, if that is before `limit`; else `limit`. */
  const completeAt = (part: number, limit: number): number => {
    let at = 0;
    for (let i = first[part]!; i < first[part + 1]!; i++) {
      const joined = joinedAt[indices[i]!]!;
      if (joined >= limit) return limit;
      if (joined > at) at = joined;
    }
    return at;
  };

  return (order) => {
    for (let i = 0; i < order.length; i++) joinedAt[order[i]!] = i + 1;
    best.fill(Number.NEGATIVE_INFINITY);
    let limit = order.length + 1;
    for (let part = 0; part < worths.length && limit > 1; part++) {
      const at = completeAt(part, limit);
      if (at === limit) continue;
      best[at] = worths[part]!;
      limit = at;
    }
    best[0] = worth.nobody;
    const unseenFrom = firstUnseen(order, members, all, worths.length);
    for (let at = 1; at <= order.length; at++)
      best[at] = Math.max(best[at]!, best[at - 1]!, at >= unseenFrom ? worth.unseen : best[at]!);
    return best;
  };
}

/** How many must have joined before some coalition among them is one that no path shows. */
function firstUnseen(order: Uint32Array, members: readonly number[], all: Coalitions, shown: number): number {
  for (let size = 1; size <= order.length; size++) {
    if (2 ** size - 1 > shown) return size;
    const joined = [...order.subarray(0, size)].sort((a, b) => a - b).map((i) => members[i]!);
    if (!showsAll(joined, 0, 0, all)) return size;
  }
  return order.length + 1;
}

/** Whether paths show each coalition that goes on from `place` with members from the `from`-th on. */
function showsAll(members: readonly number[], place: number, from: number, all: Coalitions): boolean {
  for (let i = from; i < members.length; i++) {
    const next = all.step(place, members[i]!);
    if (!all.at(next) || !showsAll(members, next, i + 1, all)) return false;
  }
  return true;
}
