import { z } from 'zod';
import type { ConsentDefaults } from '../platform/brand.ts';

/** What a person can allow or refuse. `marketing` is said of one channel too: `marketing.wecom`. */
export const purposes = ['analytics', 'personalisation', 'marketing', 'sharing'] as const;
export type Purpose = (typeof purposes)[number];

const NAME = /^(?:analytics|personalisation|sharing|marketing(?:\.[a-z][a-z0-9_-]{0,39})?)$/;

export const isPurpose = (name: string): boolean => NAME.test(name);

export const purposeName = z.string().regex(NAME, {
  error: `one of ${purposes.join(', ')}, or marketing.CHANNEL`,
});

/** The purpose that a channel's own is part of. */
export const generalOf = (purpose: string): Purpose =>
  purposes.find((name) => name === purpose.split('.')[0]) ?? 'marketing';

/** Unless a brand says otherwise everything is allowed until somebody refuses. */
/** What of it changes answers: what the brand presumes, where that is not the usual. */
export const presumedOtherwise = (consent: ConsentDefaults): readonly ConsentDefaults[] =>
  Object.values(consent).includes('asked') ? [consent] : [];

export const usualConsent: ConsentDefaults = {
  analytics: 'granted',
  personalisation: 'granted',
  marketing: 'granted',
  sharing: 'granted',
};
