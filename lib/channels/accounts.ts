import { isConsent } from '../consent/said.ts';
import type { Brand } from '../platform/brand.ts';
import { daysKept } from '../profile/retention.ts';

/** The accounts of a brand on one channel. */
export const accountsOf = (brand: Pick<Brand, 'channels'>, channel: string): Brand['channels'][string] =>
  Object.hasOwn(brand.channels, channel) ? (brand.channels[channel] ?? {}) : {};

/** What an account's messages are read against: the brand's name, language, currency, time zone, and how long it keeps what. */
export function homeOf(brand: Brand) {
  const { name, locale, currency, timezone } = brand;
  const { days, types } = daysKept(brand);
  const keptFor = (type: string): number =>
    isConsent({ type }) ? Number.POSITIVE_INFINITY : (types.get(type) ?? days);
  return { name, locale, currency, timezone, keptFor };
}
