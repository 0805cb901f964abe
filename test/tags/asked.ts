import { rfmSettings } from '../../lib/platform/brand.ts';
import { emptyCells, type FoldedEvent, foldEvent } from '../../lib/tags/cells.ts';
import { explainTag } from '../../lib/tags/explain.ts';
import { compileRules } from '../../lib/tags/rulebook.ts';

/** Rules t0, t1, … */
export const book = (timezone: string, ...whens: string[]) =>
  compileRules(
    whens.map((when, i) => ({ tag: `t${i}`, when, version: 1 })),
    { timezone, rfm: rfmSettings.parse({}) },
  );
export const order = (at: string, properties: FoldedEvent['properties'] = {}): FoldedEvent => ({
  id: at,
  type: 'order',
  at: Date.parse(at),
  properties,
  channel: 'shop',
});
/** Why a rule holds or does not. */
export function explained(when: string, events: readonly FoldedEvent[], at: string, zone = 'UTC') {
  const rules = book(zone, when);
  const cells = emptyCells();
  for (const event of events) foldEvent(rules, cells, event);
  return explainTag(rules, 't0', { cells, traits: {} }, Date.parse(at));
}
/** What is asked of orders, as an explanation shows it. */
export const leafOf = (call: string, events: readonly FoldedEvent[], at: string, zone = 'UTC') =>
  explained(`events("order")${call} == events("order")${call}`, events, at, zone).leaves[0]?.value;
export const onDays = (...days: string[]) => days.map((day) => order(`2026-${day}T12:00:00.000Z`));
