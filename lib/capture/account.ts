import { accountsOf, homeOf } from '../channels/accounts.ts';
import type { RawAccount } from '../channels/channel.ts';
import { sameSecret } from '../channels/verify.ts';
import type { Brand } from '../platform/brand.ts';
import { secretName } from '../platform/brand-file.ts';
import { RejectedError } from '../platform/errors.ts';
import type { HttpRequest } from '../platform/http.ts';
import type { Secrets } from '../platform/secrets.ts';
import type { Stop } from './routes.ts';

/** Whose a request is, and which of the channels that share its path it speaks. */
export interface Addressee {
  readonly stop: Stop;
  readonly account: RawAccount;
}

/**
 * The account that the URL names, or whose key the request carries, on any of the channels that share its path.
 *
 * @throws RejectedError 404, 401
 */
export async function addresseeOf(
  request: HttpRequest,
  stops: readonly Stop[],
  { brand, secrets }: { readonly brand: Brand; readonly secrets: Secrets },
): Promise<Addressee> {
  const open = async (stop: Stop, id: string, settings: unknown): Promise<Addressee> => {
    const secret = await secrets.get(secretName(brand, stop.channel.secretOf(settings)));
    return { stop, account: { id, settings, secret, home: homeOf(brand) } };
  };
  const { channel, account: id } = request.params;
  const [named] = stops;
  if (channel !== undefined && id !== undefined && named) {
    const accounts = accountsOf(brand, named.channel.name);
    if (!Object.hasOwn(accounts, id))
      throw new RejectedError('unknown_account', 'no such channel or account', 404);
    return open(named, id, accounts[id]);
  }
  const all = await Promise.allSettled(
    stops.flatMap((stop) =>
      Object.entries(accountsOf(brand, stop.channel.name)).map(([name, settings]) =>
        open(stop, name, settings),
      ),
    ),
  );
  const opened = all.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
  const sent = new Map(stops.map((stop) => [stop, stop.channel.addressOf(request) ?? '']));
  // Every key is compared, whichever holds: the time taken says nothing.
  const [found] = opened.filter(({ stop, account }) =>
    stop.channel
      .keysOf(account.secret)
      .map((held) => sameSecret(held, sent.get(stop) ?? ''))
      .includes(true),
  );
  if (found) return found;
  const failed = all.find((it) => it.status === 'rejected');
  if (failed) throw failed.reason; // it may have been the key of this account: the sender tries again
  throw new RejectedError('unknown_key', 'no account has this key', 401);
}
