import type { EventContext, Json } from './event.ts';
import { eventType } from './event.ts';
import { FaultError, quoted } from './fault.ts';
import { type PropertyKind, type StandardType, signedOnly, standardType } from './standard.ts';

type Properties = Readonly<Record<string, Json>>;

/** A kind's law: the value in its one form, or `undefined` if it breaks the law; and how to say it. */
interface Form {
  readonly says: string;
  of(value: Json): Json | undefined;
}

const whole =
  (least: number): Form['of'] =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined;

const forms: Record<PropertyKind, Form> = {
  id: {
    says: 'a string of 1 to 256 characters (a number above 2^53 has lost digits on its way: send it as a string)',
    of: (value) => {
      const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
      return typeof text === 'string' && text.length > 0 && text.length <= 256 ? text : undefined;
    },
  },
  text: {
    says: 'a non-empty string',
    of: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
  },
  money: { says: 'an integer of at least 0 in minor units (1999 for 19.99 yuan)', of: whole(0) },
  currency: {
    says: 'three letters of ISO 4217, such as CNY',
    of: (value) =>
      typeof value === 'string' && /^[A-Za-z]{3}$/.test(value) ? value.toUpperCase() : undefined,
  },
  count: { says: 'an integer of at least 0', of: whole(0) },
  amount: { says: 'an integer', of: whole(Number.MIN_SAFE_INTEGER) },
  number: { says: 'a number', of: (value) => (typeof value === 'number' ? value : undefined) },
  flag: { says: 'true or false', of: (value) => (typeof value === 'boolean' ? value : undefined) },
};

/** What a standard type's other properties are by their names, wherever they appear. */
const byName = (name: string): PropertyKind | undefined =>
  name === 'currency'
    ? 'currency'
    : name.endsWith('_amount')
      ? 'money'
      : name.endsWith('_id')
        ? 'id'
        : undefined;

/**
 * Checks an event against its type and gives its properties in their one form.
 *
 * A standard type has its required properties, each of its kind; its other `*_id` are strings, its `*_amount`
 * money, its `currency` ISO 4217, or `null`. A custom type has what it has, but for `*_id`: an id is never a number.
 * Numbers that stand for ids become strings where no digit can have been lost.
 *
 * A payment or a refund may say `amount_pending: true` instead of its amount, where the vendor's push has none: it is
 * a conversion that is worth nothing until an event of the same order says how much, and counts as an order (in the
 * day's activity and in the frequency of RFM) from then on.
 *
 * @throws FaultError `bad_type`, `client_money`, `missing_property`, `bad_property`
 */
export function checkEvent(
  type: string,
  properties: Properties,
  verified: EventContext['verified'],
): Record<string, Json> {
  if (!eventType.safeParse(type).success)
    throw new FaultError(
      'bad_type',
      'the type has to be snake_case, begin with a letter and have at most 64 characters, such as order_paid',
    );
  if (verified !== 'signed' && verified !== 'sender_only' && signedOnly.has(type))
    throw new FaultError(
      'client_money',
      `a client that holds no secret cannot say ${type}: send it from a server, through a signed channel`,
    );
  const standard = standardType(type);
  const pending = pendingOf(type, standard, properties);
  const checked: Record<string, Json> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (name.length > 128)
      throw new FaultError('bad_property', 'the name of a property has at most 128 characters');
    const required = standard !== undefined && Object.hasOwn(standard.required, name);
    const named = standard || name.endsWith('_id') ? byName(name) : undefined;
    const kind = required ? standard.required[name] : named;
    if (kind === 'id' && value === '' && !required) continue; // how tills write "none"
    checked[name] = kind && (value !== null || required) ? formed(type, name, kind, value) : value;
  }
  for (const [name, kind] of Object.entries(standard?.required ?? {}))
    if (!Object.hasOwn(checked, name) && !pending.includes(name))
      throw new FaultError('missing_property', `${type} needs ${name}: ${forms[kind].says}`);
  return checked;
}

/** What the type requires and this event may lack, because it says that its amount is not known yet. */
function pendingOf(
  type: string,
  standard: StandardType | undefined,
  properties: Properties,
): readonly string[] {
  const names = standard?.pending ?? [];
  if (names.length === 0 || !Object.hasOwn(properties, 'amount_pending')) return [];
  if (typeof properties.amount_pending !== 'boolean')
    throw new FaultError('bad_property', `amount_pending of ${type} has to be ${forms.flag.says}`);
  if (!properties.amount_pending) return [];
  const claimed = names.find((name) => name.endsWith('_amount') && Object.hasOwn(properties, name));
  if (claimed)
    throw new FaultError(
      'bad_property',
      `${type} has ${claimed} and says that it is pending: send one of them`,
    );
  return names;
}

function formed(type: string, name: string, kind: PropertyKind, value: Json): Json {
  if (value === null)
    throw new FaultError('missing_property', `${type} needs ${quoted(name)}: ${forms[kind].says}`);
  const checked = forms[kind].of(value);
  if (checked === undefined)
    throw new FaultError('bad_property', `${quoted(name)} of ${type} has to be ${forms[kind].says}`);
  return checked;
}
