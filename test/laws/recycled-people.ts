import type { Event } from '../../lib/events/event.ts';
import { releaseEvent } from '../../lib/identity/tenure.ts';
import { DAY, HOUR, toIso } from '../../lib/platform/clock.ts';
import { anEventOf } from './oracle/an-event.ts';
import { NOW } from './oracle/histories.ts';
import type { Dice } from './world/random.ts';

// A few people with two phones, so few that everything that can happen to a phone happens within a dozen events.

const people = ['member_id:m1', 'member_id:m2', 'wechat_unionid:u1', 'wechat_unionid:u2'];
const phones = ['phone:p1', 'phone:p1', 'phone:p1', 'phone:p2'];
const devices = ['device_id:d1', 'device_id:d2'];

/** Few instants, so that releases and events often share one, so many days apart. */
const instant = (thrown: Dice, apart: number): string => toIso(NOW - (2 + apart * thrown.below(12)) * DAY);
export const pick = <T>(from: readonly T[], thrown: Dice): T => thrown.take([...from]);

/** An order or a visit of somebody: a member, a phone, a device, or several of them at once. */
export function anything(seed: number, i: number, thrown: Dice, apart = 1): Event {
  const ids = [
    ...(thrown.chance(0.5) ? [pick(people, thrown)] : []),
    ...(thrown.chance(0.15) ? [pick(people, thrown)] : []),
    ...(thrown.chance(0.7) ? [pick(phones, thrown)] : []),
    ...(thrown.chance(0.3) ? [pick(devices, thrown)] : []),
  ];
  const order = { order_id: `o${i}`, paid_amount: 100 + i, currency: 'CNY' };
  const said = thrown.chance(0.4)
    ? { type: 'order_paid', properties: order }
    : { type: 'page_viewed', properties: { url: 'https://shop.example/1' } };
  const id = `e${seed}x${i}`.padStart(16, '0');
  return anEventOf([...new Set(ids.length > 0 ? ids : ['phone:p1'])], instant(thrown, apart), {
    id,
    ...said,
  });
}

/** The word of a carrier, who says when it is, or of an operator, who says when it was, and may take it back. */
export function release(seed: number, i: number, thrown: Dice, apart = 1): Event {
  const since = instant(thrown, apart);
  const id = `r${seed}x${i}`.padStart(16, '0');
  const carrier = anEventOf([pick(phones, thrown)], since, { id, type: 'identifier_released' });
  const [phone] = carrier.identifiers;
  if (!phone || thrown.chance(0.4)) return carrier;
  return releaseEvent(phone, { since, released: thrown.chance(0.75) }, toIso(NOW - thrown.below(3) * HOUR));
}
