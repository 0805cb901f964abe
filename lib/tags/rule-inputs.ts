import type { Brand, Rule } from '../platform/brand.ts';
import type { QuintileEdition } from './quintiles.ts';

/** What rules say, in whatever order they come. */
export const said = (rules: readonly (Rule & { readonly version: number })[]): unknown[] =>
  [...rules]
    .sort((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0))
    .map(({ tag, version, when, values }) => [tag, version, when ?? Object.entries(values ?? {})]);

/** How often cuts are taken anew changes no answer. */
export const answering = ({ renew: _, ...rest }: Brand['rfm']) => rest;

/** Taken again and the same, they change no answer. */
export const cutsIn = ({ r, f, m }: QuintileEdition) => [r, f, m];
