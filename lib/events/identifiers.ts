import { kindOf } from '../identity/kinds.ts';
import { type Identifier, identifier } from './event.ts';
import { FaultError, quoted } from './fault.ts';

/** An identifier as a sender gives it: the scope may be left to the kind. */
export interface DraftIdentifier {
  readonly kind: string;
  readonly scope?: string;
  readonly value: string;
}

/** What the defaults depend on. */
export interface Home {
  /** The brand's name: the scope of what is unique within the brand. */
  readonly name: string;
  readonly locale: string;
  /** On how many brand-days events of a type are kept; absent: nobody says. */
  keptFor?(type: string): number;
}

/** Where eleven digits beginning with 1 are a mainland mobile number. */
const isMainland = (locale: string) => /^zh(-hans)?-cn$/i.test(locale);

/**
 * A phone number as E.164 (`+8613800138000`), or `undefined` for what is none: masked, ciphertext, too short.
 * Blanks, dashes, dots and brackets do not count; `00` stands for `+`; the mainland's `+86` is added to eleven
 * digits that begin with 1 where the brand's locale is zh-CN.
 */
export function phoneNumber(text: string, locale: string): string | undefined {
  const compact = text.replace(/[\s().\-‐-―]/g, '').replace(/^00/, '+');
  if (/^\+[1-9]\d{6,14}$/.test(compact)) return compact;
  if (!isMainland(locale)) return undefined;
  if (/^1[3-9]\d{9}$/.test(compact)) return `+86${compact}`;
  return /^861[3-9]\d{9}$/.test(compact) ? `+${compact}` : undefined;
}

/** A mail address in lower case, or `undefined` for what cannot be one. */
export function mailAddress(text: string): string | undefined {
  const address = text.trim().toLowerCase();
  return /^[^\s@"<>]{1,64}@[^\s@"<>]+\.[^\s@"<>.]{2,63}$/.test(address) ? address : undefined;
}

const forms: Readonly<Record<string, (text: string, locale: string) => string | undefined>> = {
  e164: phoneNumber,
  rfc5322: mailAddress,
};

/**
 * The one form of an identifier, so that equal things are equal: phones as E.164, mail in lower case, no blanks
 * around anything, the kind's own scope where none is given.
 *
 * @throws FaultError `bad_identifier`, naming the kind and never the value
 */
export function toIdentifier(draft: DraftIdentifier, home: Home): Identifier {
  const known = kindOf(draft.kind);
  const form = forms[known.scope];
  const scope = form ? known.scope : (draft.scope ?? (known.scope === 'brand' ? home.name : known.scope));
  const value = form ? form(draft.value, home.locale) : draft.value.trim();
  const whole = identifier.safeParse({ kind: draft.kind, scope, value });
  if (!whole.success)
    throw new FaultError(
      'bad_identifier',
      form
        ? `the value of ${draft.kind} has to be ${known.scope === 'e164' ? 'a phone number with its country code, such as +86…' : 'a mail address'}`
        : `an identifier needs a snake_case kind, a scope without blanks or "#" (≤ 128) and a value of 1 to 256 characters; look at ${quoted(draft.kind)}`,
    );
  return whole.data;
}

/** The distinct identifiers of an event, in the order given. @throws FaultError `no_identifier`, `bad_identifier` */
export function toIdentifiers(drafts: readonly DraftIdentifier[], home: Home): Identifier[] {
  const distinct = new Map<string, Identifier>();
  for (const draft of drafts) {
    const one = toIdentifier(draft, home);
    distinct.set(JSON.stringify([one.kind, one.scope, one.value]), one);
  }
  if (distinct.size === 0)
    throw new FaultError('no_identifier', 'nobody did this: give at least one identifier, such as member_id');
  if (distinct.size > 20) throw new FaultError('bad_identifier', 'an event has at most 20 identifiers');
  return [...distinct.values()];
}
