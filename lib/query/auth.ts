import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Role, role } from '../platform/brand-words.ts';
import { RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';
import { whoMay } from '../privacy/roles.ts';

const apiKeyRow = z.object({ role, name: z.string(), revoked: z.boolean().optional() });

/** Whose a key is. */
export interface KeyOwner {
  readonly role: Role;
  readonly name: string;
}

export interface Caller extends KeyOwner {
  /** The beginning of the key's digest: which key of theirs it was. */
  readonly key?: string;
  /** Why they ask. Without it identifiers are masked; with it, it stands in the audit log. */
  readonly reason?: string;
}

/** The digest under which a key is stored: the key itself is nowhere but with its owner. */
export const keyDigest = (key: string): string => createHash('sha256').update(key).digest('hex');

/** The row that makes a key valid. */
export const apiKeyItem = (key: string, { role, name }: KeyOwner): Item => ({
  ...keys.apiKey(keyDigest(key)),
  ...{ role, name },
});

/** As the log names a key. */
export const keyName = (key: string): string => keyDigest(key).slice(0, 12);

/**
 * The reason that is given for asking, by the header `X-Reason` or `?reason=`, in percent-encoding where it is not
 * ASCII. It is kept for ever, so it may name a ticket and no customer.
 *
 * @throws RejectedError 400 if it is too short or too long to be one, or holds what looks like a phone or an e-mail
 */
export function reasonOf(said: string | undefined): string | undefined {
  if (said === undefined) return undefined;
  const reason = decoded(said).trim();
  if (reason.length < 4 || reason.length > 200 || /@|(?:\d[ -]?){7}/.test(reason))
    throw new RejectedError(
      'bad_reason',
      'a reason has 4 to 200 characters, and no phone or e-mail: name the case, not the customer',
    );
  return reason;
}

function decoded(said: string): string {
  try {
    return decodeURIComponent(said);
  } catch {
    return said;
  }
}

/**
 * Who calls, by `Authorization: Bearer <key>`, and why.
 *
 * @param allowed the roles that may; absent: those that may see single profiles
 * @param reason in place of the header
 * @throws RejectedError 401 without a valid key, 403 if the key's role may not, 400 if the reason is none
 */
export async function authorize(
  headers: Readonly<Record<string, string>>,
  table: Pick<Table, 'get'>,
  allowed: readonly Role[] = whoMay('persons'),
  reason?: string,
): Promise<Caller> {
  const [, key] = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const row = key && (await table.get(keys.apiKey(keyDigest(key))));
  const caller = apiKeyRow.safeParse(row);
  if (!caller.success || caller.data.revoked) {
    throw new RejectedError('unauthorized', 'send a valid key: `Authorization: Bearer <key>`', 401);
  }
  const { role, name } = caller.data;
  if (!allowed.includes(role)) {
    throw new RejectedError(
      'forbidden',
      `this takes a key of role ${allowed.join(' or ')}; yours is ${role}`,
      403,
    );
  }
  const why = reasonOf(headers['x-reason'] ?? reason);
  return { role, name, key: keyName(key ?? ''), ...(why !== undefined && { reason: why }) };
}
