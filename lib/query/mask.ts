import type { Identifier } from '../events/event.ts';
import { isPersonal } from '../identity/kinds.ts';
import type { Protector } from '../identity/protect.ts';
import type { Role } from '../platform/brand.ts';

/**
 * An identifier as a role may see it: `privacy` sees all in clear, `admin` all but personal values, `operator` every
 * value masked.
 */
export function showIdentifier(
  stored: Identifier,
  role: Role,
  protector: Pick<Protector, 'reveal'>,
): Identifier {
  const clear = protector.reveal(stored);
  const mayRead = role === 'privacy' || (role === 'admin' && !isPersonal(stored));
  return mayRead ? clear : { ...clear, value: mask(clear.value) };
}

/**
 * Enough to recognise, too little to use: a phone keeps its country, two digits and the last four, an e-mail its first
 * letter and its domain, anything else its first three and last three characters.
 */
export function mask(value: string): string {
  const [name, domain] = value.split('@');
  if (name && domain) return `${name[0]}***@${domain}`;
  if (/^\+\d{8,}$/.test(value)) return `${value.slice(0, 5)}****${value.slice(-4)}`;
  return value.length > 8 ? `${value.slice(0, 3)}***${value.slice(-3)}` : `${value.slice(0, 1)}***`;
}
