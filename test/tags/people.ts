import type { Json } from '../../lib/events/event.ts';
import { DAY, HOUR } from '../../lib/platform/clock.ts';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { evaluateTags, type TagValue } from '../../lib/tags/evaluate.ts';
import type { RuleBook } from '../../lib/tags/rulebook.ts';

/** A day in May, at noon in Shanghai. */
export const NOON = Date.parse('2026-05-20T12:00:00+08:00');

/** What a person did, so long before noon: `{ d: 3 }` three days, `{ h: 5 }` five hours. */
export interface Deed {
  readonly type: string;
  readonly d?: number;
  readonly h?: number;
  readonly properties?: FoldedEvent['properties'];
}
export interface Person {
  readonly deeds: readonly Deed[];
  readonly traits?: Readonly<Record<string, Json>>;
}

export const deed = (type: string, d: number, properties: FoldedEvent['properties'] = {}): Deed => ({
  type,
  d,
  properties,
});
export const hoursAgo = (type: string, h: number, properties: FoldedEvent['properties'] = {}): Deed => ({
  type,
  h,
  properties,
});

/** The tags that a person holds at noon. */
export function tagsOf(book: RuleBook, { deeds, traits = {} }: Person, now = NOON): Map<string, TagValue> {
  const cells = emptyCells();
  for (const [i, { type, d = 0, h = 0, properties = {} }] of deeds.entries())
    foldEvent(book, cells, {
      id: `e${i}`,
      type,
      at: now - d * DAY - h * HOUR,
      properties,
      channel: 'generic',
    });
  return new Map(evaluateTags(book, { cells, traits }, now));
}
