import type { Vendor } from './vendor.ts';

/** Every vendor that the tests can play, by the name of its channel. */
export const vendors: Readonly<Record<string, Vendor>> = {};
