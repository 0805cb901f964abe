import type { Event } from '../events/event.ts';
import { homeOf } from '../identity/graph.ts';
import type { Protector } from '../identity/protect.ts';
import type { Brand } from '../platform/brand.ts';
import { DAY, toIso } from '../platform/clock.ts';
import { compress } from '../platform/compressed.ts';
import { ConflictError } from '../platform/errors.ts';
import { keys } from '../platform/keys.ts';
import type { Table } from '../platform/table.ts';

/** What channels call what they ask for in a person's name. */
const rights = new Map([
  ['customer_redact', 'erase'],
  ['account_cancellation', 'erase'],
  ['data_request', 'export'],
]);

/** WeChat says that somebody has no account any more, or takes back what they had authorised: then their data is to be deleted. */
const isRevoked = ({ type, source, properties }: Event, { privacy }: Pick<Brand, 'privacy'>): boolean =>
  type === 'consent_revoked' &&
  source.channel.startsWith('wechat-') &&
  ((properties.scope === 'account' && privacy.revocations !== 'none') ||
    (properties.scope === 'personal_data' && privacy.revocations === 'all'));

const rightIn = (event: Event, brand: Pick<Brand, 'privacy'>) => {
  if (isRevoked(event, brand)) return 'erase';
  return event.type === 'data_erasure_requested' ? rights.get(`${event.properties.request_kind}`) : undefined;
};

/**
 * Takes on what channels ask for in persons' names: the clock of erasures sees to it, as to what people ask. Only what is
 * signed counts. An event that comes again asks for nothing new, whenever that is.
 */
export async function noteRequests(
  events: Iterable<Event>,
  brand: Pick<Brand, 'privacy'>,
  { table, protector, now }: { table: Table; protector: Pick<Protector, 'digest'>; now: () => number },
): Promise<void> {
  for (const event of events) {
    const { id, occurredAt, source, identifiers, context } = event;
    const right = rightIn(event, brand);
    if (!right || context.verified !== 'signed') continue;
    const of = homeOf({ identifiers });
    const at = toIso(now());
    const it = {
      ...{
        id: `${occurredAt.replace(/[-:.]/g, '')}-${id}`,
        right,
        status: right === 'erase' ? 'received' : 'done',
        of,
      },
      ...{ reason: `${source.channel} asked`, asked: { name: source.channel, key: source.account, at } },
      dueAt: toIso(now() + brand.privacy.requestDays * DAY),
      ...{ subject: protector.digest(of), ...(right === 'export' && { doneAt: at }) },
    };
    const row = { ...keys.privacyRequest(it.id), v: 1, body: compress(it) };
    await table.put(row, { kind: 'absent' }).catch((error: unknown) => {
      if (!(error instanceof ConflictError)) throw error;
    });
  }
}
