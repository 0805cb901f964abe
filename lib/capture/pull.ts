import { tallyOf } from '../arrivals/tally.ts';
import { accountsOf, homeOf } from '../channels/accounts.ts';
import { type Channel, MisconfiguredError, type Outside, type RawAccount } from '../channels/channel.ts';
import { channels } from '../channels/registry.ts';
import type { Brand } from '../platform/brand.ts';
import { secretName } from '../platform/brand-file.ts';
import { SECOND } from '../platform/clock.ts';
import { logError } from '../platform/log.ts';
import type { Queue } from '../platform/queue.ts';
import type { Secrets } from '../platform/secrets.ts';
import { MESSAGE_BYTES } from '../platform/sqs.ts';
import type { CaptureFact } from './capture.ts';
import { chunks } from './chunks.ts';

export interface PullDeps extends Outside {
  readonly brand: Brand;
  readonly secrets: Secrets;
  readonly queue: Queue;
  /** One line of facts for whoever operates this: never a body, never an identifier. */
  readonly tell: (fact: CaptureFact) => void;
}

interface Asked {
  readonly channel: Channel;
  readonly id: string;
  readonly settings: unknown;
}

/** How long one account may be asked for more: with the last call's patience it fits the function's time. */
const ASK_MS = 20 * SECOND;

/** The accounts whose vendor does not send: it is asked. */
export const pulledAccounts = (brand: Pick<Brand, 'channels'>): Asked[] =>
  Object.values<Channel>(channels).flatMap((channel) =>
    channel.pull
      ? Object.entries(accountsOf(brand, channel.name)).map(([id, settings]) => ({ channel, id, settings }))
      : [],
  );

/**
 * Asks every vendor that does not send, until it has no more. What it gave goes the way of what is sent to us, and the
 * vendor is told that it may forget it only when it is durably queued: whatever fails before that, the same messages
 * come again, with the same keys, and are stored once.
 *
 * @returns how many messages became events
 * @throws AggregateError if an account could not be asked; the others were
 */
export async function pull(deps: PullDeps): Promise<number> {
  const results = await Promise.allSettled(pulledAccounts(deps.brand).map((asked) => ask(asked, deps)));
  const failed = results.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} accounts could not be asked`);
  return results.reduce((sum, it) => sum + (it.status === 'fulfilled' ? it.value : 0), 0);
}

async function ask({ channel, id, settings }: Asked, deps: PullDeps): Promise<number> {
  try {
    const secret = await deps.secrets.get(secretName(deps.brand, channel.secretOf(settings)));
    const account: RawAccount = { id, settings, secret, home: homeOf(deps.brand) };
    const until = deps.now() + ASK_MS;
    let events = 0;
    for (let more: number | undefined = 0; more !== undefined && deps.now() < until; ) {
      more = await askOnce(channel, account, deps);
      events += more ?? 0;
    }
    return events;
  } catch (error) {
    if (error instanceof MisconfiguredError)
      deps.tell({ what: 'misconfigured', channel: channel.name, message: error.message });
    logError('asking a vendor', error, { channel: channel.name, account: id });
    throw error;
  }
}

/** @returns how many events there were; nothing if the vendor had no more messages */
async function askOnce(channel: Channel, account: RawAccount, deps: PullDeps): Promise<number | undefined> {
  const pulled = await channel.pull?.(account, deps);
  if (!pulled) return undefined;
  const source = { channel: channel.name, account: account.id };
  const received = channel.receive(pulled.request, account, deps.now());
  const { events, faults, ignored } = received;
  const tally = tallyOf(received, source, deps.now());
  const bodies = chunks(events, faults, MESSAGE_BYTES, { tally });
  if (bodies.length > 0) await deps.queue.send(bodies);
  await pulled.confirm();
  for (const name of ignored) deps.tell({ what: 'ignored', ...source, name: name.slice(0, 64) });
  return events.length;
}
