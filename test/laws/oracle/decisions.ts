import type { Event, Identifier } from '../../../lib/events/event.ts';
import type { Dice } from '../world/random.ts';

const HOUR = 60 * 60 * 1000;

/** A decision on two identifiers, as it comes through the queue. */
export const aDecision = (
  pair: readonly Identifier[],
  verdict: 'apart' | 'together' | 'open',
  occurredAt: string,
  id: string,
): Event => ({
  id: id.padStart(16, '0'),
  type: 'identity_decided',
  occurredAt,
  receivedAt: occurredAt,
  source: { channel: 'siyu', account: 'identity' },
  identifiers: [...pair],
  properties: { verdict, by: 'Li', why: 'asked the customer' },
  context: { timeSource: 'sender', verified: 'signed' },
});

const isStrong = ({ kind }: Identifier) => /^(member_id|wechat_unionid|customer_id|phone)$/.test(kind);
const keyOf = (pair: readonly Identifier[]) =>
  pair
    .map((id) => JSON.stringify(id))
    .sort()
    .join();

/** Decisions about people of a history: of two who met on an event, or of any two, one of whom says who it is. */
export function someDecisions(events: readonly Event[], now: number, thrown: Dice, most = 5): Event[] {
  const everybody = [
    ...new Map(
      events.flatMap(({ identifiers }) => identifiers).map((id) => [JSON.stringify(id), id]),
    ).values(),
  ];
  const meetings = events.flatMap(({ identifiers }) =>
    identifiers.flatMap((a, i) => identifiers.slice(i + 1).map((b) => [a, b])),
  );
  const any = everybody.flatMap((a, i) => everybody.slice(i + 1).map((b) => [a, b]));
  const pairs = [meetings, meetings, any].flatMap((of) => (of.length > 0 ? [of] : []));
  if (pairs.length === 0) return [];
  return Array.from({ length: 1 + thrown.below(most) }, (_, i) => {
    const of = pairs[thrown.below(pairs.length)] ?? [];
    const pair = of[thrown.below(of.length)] ?? [];
    const verdicts = pair.some(isStrong)
      ? (['apart', 'together', 'open'] as const)
      : (['apart', 'open'] as const);
    const at = new Date(now - thrown.below(4) * HOUR).toISOString(); // often two at one instant
    return aDecision(
      pair,
      verdicts[thrown.below(verdicts.length)] ?? 'open',
      at,
      `decision${i}${thrown.below(9)}`,
    );
  });
}

/**
 * For each pair that was decided on, a later word that takes it back: they are as their events say. Where no event shows
 * both, "apart" says the same.
 */
export function undone(decisions: readonly Event[], events: readonly Event[], now: number): Event[] {
  const pairs = new Map(decisions.map(({ identifiers }) => [keyOf(identifiers), identifiers]));
  const have = (pair: readonly Identifier[]) => {
    const names = pair.map((id) => JSON.stringify(id));
    return events.some(({ identifiers }) => {
      const shown = new Set(identifiers.map((id) => JSON.stringify(id)));
      return names.every((name) => shown.has(name));
    });
  };
  return [...pairs.values()].map((pair, i) => {
    const at = new Date(now + HOUR).toISOString();
    return aDecision(pair, have(pair) ? 'open' : 'apart', at, `undone${i}`);
  });
}
