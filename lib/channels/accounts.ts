import type { Brand } from '../platform/brand.ts';

/** The accounts of a brand on one channel. */
export const accountsOf = (brand: Pick<Brand, 'channels'>, channel: string): Brand['channels'][string] =>
  Object.hasOwn(brand.channels, channel) ? (brand.channels[channel] ?? {}) : {};

/** What an account's messages are read against: the brand's name, language, currency and time zone. */
export const homeOf = ({
  name,
  locale,
  currency,
  timezone,
}: Pick<Brand, 'name' | 'locale' | 'currency' | 'timezone'>) => ({ name, locale, currency, timezone });
