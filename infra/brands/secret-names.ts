import { channelNamed } from '../../lib/channels/registry.ts';
import type { Brand } from '../../lib/platform/brand.ts';

/** The reference of the brand's own secret, the key of personal identifiers: no account may use it. */
export const IDENTITY = 'identity';

/**
 * Checks that each account refers to its secret by a name that Secrets Manager takes.
 *
 * @throws Error naming the account; the message does not repeat the name, because it may well be the secret itself
 */
export function checkSecretNames(brand: Pick<Brand, 'channels'>): void {
  for (const [channel, accounts] of Object.entries(brand.channels))
    for (const [account, settings] of Object.entries(accounts)) {
      const at = `channels.${channel}.${account}`;
      const name = channelNamed(channel)?.secretOf(settings) ?? '';
      if (!/^[A-Za-z0-9_-]{1,40}$/.test(name) || name.startsWith('whsec_'))
        throw new Error(
          `${at}: \`secret\` is the name of a secret (letters, digits, - and _, at most 40), not the secret`,
        );
      if (name === IDENTITY) throw new Error(`${at}: the secret "${IDENTITY}" is the brand's own key`);
    }
}
