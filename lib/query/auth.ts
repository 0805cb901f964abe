import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Role, role } from '../platform/brand.ts';
import { RejectedError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Item, Table } from '../platform/table.ts';

const apiKeyRow = z.object({ role, name: z.string(), revoked: z.boolean().optional() });

export interface Caller {
  readonly role: Role;
  readonly name: string;
}

/** The digest under which a key is stored: the key itself is nowhere but with its owner. */
export const keyDigest = (key: string): string => createHash('sha256').update(key).digest('hex');

/** The row that makes a key valid. */
export const apiKeyItem = (key: string, caller: Caller): Item => ({
  ...keys.apiKey(keyDigest(key)),
  ...caller,
});

/**
 * Who calls, by `Authorization: Bearer <key>`.
 *
 * @param allowed the roles that may; absent: every role
 * @throws RejectedError 401 without a valid key, 403 if the key's role may not
 */
export async function authorize(
  headers: Readonly<Record<string, string>>,
  table: Pick<Table, 'get'>,
  allowed?: readonly Role[],
): Promise<Caller> {
  const [, key] = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const row = key && (await table.get(keys.apiKey(keyDigest(key))));
  const caller = apiKeyRow.safeParse(row);
  if (!caller.success || caller.data.revoked) {
    throw new RejectedError('unauthorized', 'send a valid key: `Authorization: Bearer <key>`', 401);
  }
  if (allowed && !allowed.includes(caller.data.role)) {
    throw new RejectedError(
      'forbidden',
      `this takes a key of role ${allowed.join(' or ')}; yours is ${caller.data.role}`,
      403,
    );
  }
  return caller.data;
}
