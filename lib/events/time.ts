import { MINUTE, toIso } from '../platform/clock.ts';

/** How far a sender's clock may run ahead of ours. */
export const AHEAD_MS = 5 * MINUTE;
/** Before this no customer event can have happened: a clock that was reset, or a unit that was mistaken. */
const EARLIEST = Date.UTC(1990, 0, 1);

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)$/;

/**
 * The instant that a sender means, in milliseconds: RFC 3339 with an offset, or a Unix time in seconds or
 * milliseconds (as number or digits; from 10¹¹ on they are milliseconds). Parts of a millisecond are cut off.
 * `undefined` for anything else: a time without an offset could be any of 26 hours.
 */
export function instantOf(time: string | number): number | undefined {
  if (typeof time === 'number' || /^\d{1,13}(\.\d+)?$/.test(time)) {
    const value = Number(time);
    const at = Math.trunc(value < 1e11 ? value * 1000 : value);
    return at >= EARLIEST && at < 8.64e15 ? at : undefined;
  }
  const parts = rfc3339.exec(time.trim());
  if (!parts) return undefined;
  const [, day, clock, fraction = '', offset = 'Z'] = parts;
  const zone = offset.toUpperCase() === 'Z' ? 'Z' : offset.replace(/^(...)(\d\d)$/, '$1:$2');
  const at = Date.parse(`${day}T${clock}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`);
  return at >= EARLIEST ? at : undefined;
}

/**
 * When an event occurred. A time that lies more than five minutes ahead of its arrival is a wrong clock: then the
 * time of arrival counts, and the event says so.
 */
export function occurred(
  at: number | undefined,
  receivedAt: number,
): { occurredAt: string; timeSource: 'sender' | 'received' } {
  return at === undefined || at > receivedAt + AHEAD_MS
    ? { occurredAt: toIso(receivedAt), timeSource: 'received' }
    : { occurredAt: toIso(at), timeSource: 'sender' };
}
