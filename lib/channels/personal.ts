import type { Json } from '../events/event.ts';
import { type DraftIdentifier, mailAddress, phoneNumber } from '../events/identifiers.ts';
import { isRecord } from './json.ts';

/** How senders call a phone or a mail address, in lower case without `_` and `-`. */
const names: Readonly<Record<string, 'phone' | 'email'>> = {
  phone: 'phone',
  phonenumber: 'phone',
  mobile: 'phone',
  mobilephone: 'phone',
  mobilenumber: 'phone',
  email: 'email',
  emailaddress: 'email',
};

export const personalKind = (name: string): 'phone' | 'email' | undefined => {
  const plain = name.toLowerCase().replace(/[_-]/g, '');
  return Object.hasOwn(names, plain) ? names[plain] : undefined;
};

/**
 * Takes phones and mail addresses out of properties or traits, at any depth: in clear they stand nowhere but in
 * identifiers, which are stored encrypted. What stands at the top becomes an identifier that nobody verified, if it
 * is one at all; what is nested belongs to somebody else perhaps, and is left out.
 */
export function withoutPersonal(fields: Readonly<Record<string, Json>>, locale: string) {
  const identifiers: DraftIdentifier[] = [];
  const rest: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    const kind = personalKind(name);
    if (!kind) rest[name] = stripped(value);
    else if (typeof value === 'string' || typeof value === 'number') {
      const known = kind === 'phone' ? phoneNumber(String(value), locale) : mailAddress(String(value));
      if (known) identifiers.push({ kind: `unverified_${kind}`, value: known });
    }
  }
  return { identifiers, rest };
}

function stripped(value: Json): Json {
  if (Array.isArray(value)) return value.map(stripped);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const isPersonal = personalKind(name) && (typeof inner === 'string' || typeof inner === 'number');
      return isPersonal ? [] : [[name, stripped(inner)]];
    }),
  );
}
