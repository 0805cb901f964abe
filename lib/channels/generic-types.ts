import type { Json } from '../events/event.ts';
import type { Fields } from './context.ts';

/** How the flat form of one type is read. */
export interface FlatType {
  /** Property ← the field that senders call otherwise, where the property itself is absent. */
  readonly rename?: Readonly<Record<string, readonly string[]>>;
  /** Property ← the message's own id, where nothing else was given. */
  readonly own?: readonly string[];
  /** Property ← this, where nothing was given. */
  readonly otherwise?: Readonly<Record<string, Json>>;
  /** Fields that say who the customer is, and not what was done. */
  readonly traits?: readonly string[];
}

const about = [
  'name',
  'gender',
  'birthday',
  'level',
  'city',
  'province',
  'country',
  'tags',
  'consent',
  'store_id',
];

/** By canonical type. A type that is not here has no peculiarities: its fields are its properties. */
export const flatTypes: Readonly<Record<string, FlatType>> = {
  order_paid: { rename: { paid_amount: ['amount'] } },
  order_refunded: { rename: { refund_amount: ['amount'] } },
  checkout_started: { rename: { value: ['amount'] } },
  page_viewed: { rename: { url: ['page_url', 'path'] } },
  lead_submitted: { own: ['lead_id'], traits: ['name', 'gender', 'birthday', 'city', 'province', 'country'] },
  member_registered: { traits: about },
  contact_imported: { traits: about },
  identity_linked: {
    rename: { link_source: ['source'] },
    otherwise: { link_source: 'generic' },
    traits: about,
  },
  data_erasure_requested: { own: ['request_id'] },
};

/** The canonical type of a name on the wire: `order.paid` and `order_paid` are one. */
export const typeOnWire = (name: string): string => name.trim().replaceAll('.', '_');

/** The properties of a flat message, its names and gaps mended. */
export function flatProperties(type: string, fields: Fields, ownId: string): Record<string, Json> {
  const { rename = {}, own = [], otherwise = {} } = flatTypes[type] ?? {};
  const properties: Record<string, Json> = { ...fields };
  for (const [property, names] of Object.entries(rename)) {
    const from = names.find((name) => properties[name] !== undefined);
    if (properties[property] !== undefined || from === undefined) continue;
    properties[property] = properties[from]!;
    if (from === 'amount') delete properties.amount;
  }
  for (const property of own) properties[property] ??= ownId;
  for (const [property, value] of Object.entries(otherwise)) properties[property] ??= value;
  return properties;
}
