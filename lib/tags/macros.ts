import type { ASTNode } from '@marcbachmann/cel-js';
import { chainOf, conditions, daysOf, fault, filterOf } from './chain.ts';
import type { EventsReference, Reference } from './leaves.ts';
import type { Hook } from './print.ts';
import { lastDays, MAX_DAYS } from './windows.ts';

type Read = (reference: Reference) => string;
type Events = Pick<EventsReference, 'kind' | 'type' | 'filter'>;

/**
 * What is said often, in words of its own. `E` is `events(…)` with its conditions:
 *
 *   E.stopped("30d")     E.between("60d", "30d").any() && !E.within("30d").any()
 *   E.restarted("30d")   E.within("30d").any() && !E.between("60d", "30d").any() && !E.within("60d").firstEver()
 *   E.dormant("90d")     E.any() && !E.within("90d").any()
 *   E.lastIs(e, c)       E.where(e, c).last() == E.last(), or false where E has events and none fulfils c
 */
export function macroOf(node: ASTNode, read: Read, inFilter: Hook): string | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, receiver, args] = node.args;
  if (!macros.has(name)) return undefined;
  const chain = chainOf(receiver, inFilter);
  if (!chain) return undefined;
  if (chain.window ?? chain.dates ?? chain.anchored)
    throw fault('window', `${name}() has its own window: none may stand before it`, node);
  const { type, filters } = chain;
  const of: Events = { kind: 'events', type, filter: filterOf(filters) };
  const [first, second] = args;
  if (name === 'lastIs') {
    if (first?.op !== 'id' || !second) return undefined;
    const all = new Set([...filters, ...conditions(first.args, second, inFilter)]);
    return lastIs(of, { ...of, filter: filterOf([...all].sort()) }, read);
  }
  const days = daysOf(first, node, name === 'dormant' ? MAX_DAYS : Math.floor(MAX_DAYS / 2));
  const recent = read({ ...of, aggregate: 'any', window: lastDays(days) });
  if (name === 'dormant') return `(${read({ ...of, aggregate: 'any' })} && !${recent})`;
  const before = read({ ...of, aggregate: 'any', window: { unit: 'day', from: 2 * days, to: days } });
  if (name === 'stopped') return `(${before} && !${recent})`;
  const isNew = read({ ...of, aggregate: 'firstEver', window: lastDays(2 * days) });
  return `(${recent} && !${before} && !${isNew})`;
}

const macros: ReadonlySet<string> = new Set(['stopped', 'restarted', 'dormant', 'lastIs']);

/** Without any event the last is nothing, and neither this nor its negation holds. */
function lastIs(of: Events, matching: Events, read: Read): string {
  const last = read({ ...of, aggregate: 'last' });
  const any = read({ ...matching, aggregate: 'any' });
  const lastMatch = read({ ...matching, aggregate: 'last' });
  return `(${any} ? ${lastMatch} == ${last} : ${last} != ${last})`;
}
