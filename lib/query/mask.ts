import type { Identifier } from '../events/event.ts';
import { isPersonal } from '../identity/kinds.ts';
import type { Protector } from '../identity/protect.ts';
import { may } from '../privacy/roles.ts';
import type { Caller } from './auth.ts';

/** Who looks, and why: without a reason nobody sees more than a mask. */
export type Viewer = Pick<Caller, 'role' | 'reason'>;

/**
 * An identifier as somebody may see it. With a stated reason `privacy` sees all in clear and `admin` all but personal
 * values; without one, and for every other role, it is masked.
 */
export function showIdentifier(
  stored: Identifier,
  { role, reason }: Viewer,
  protector: Pick<Protector, 'reveal'>,
): Identifier {
  const clear = protector.reveal(stored);
  const mayRead = reason !== undefined && may(role, isPersonal(stored) ? 'personal' : 'identifiers');
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
