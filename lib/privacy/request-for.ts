import type { Identifier } from '../events/event.ts';
import { RejectedError } from '../platform/errors.ts';
import type { QueryDeps } from '../query/route.ts';
import { ARCHIVE_MS, type Right } from './request.ts';
import { requestStore } from './request-store.ts';

/**
 * By which identifier and why an answer was asked for that is read for seven days.
 *
 * @throws RejectedError 404 if there is no such request, 409 if it asked for something else, 410 when its time is over
 */
export async function requestedFor(
  id: string,
  right: Extract<Right, 'export' | 'access'>,
  { table, now }: Pick<QueryDeps, 'table' | 'now'>,
): Promise<{ readonly of: Identifier; readonly reason: string }> {
  const { it } = await requestStore(table).get(id);
  if (it.right !== right || !it.of)
    throw new RejectedError('no_archive', `this request asked for no ${right}`, 409);
  if (now() > Date.parse(it.asked.at) + ARCHIVE_MS)
    throw new RejectedError('expired', `an ${right} is read for seven days: ask again`, 410);
  return { of: it.of, reason: it.reason };
}
