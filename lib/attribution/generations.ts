import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AttributionSettings, attributionSettings } from '../platform/brand.ts';

/** Into how many parts everybody is divided who is told again. */
export const PARTS = 4;
/** How often everybody is looked at: a scan may have missed what was written just before it, and another will not. */
const PASSES = 2;
const FORM = 1;

/** Settings that credits are told by, and the name of all that is told by them. */
const generation = z.strictObject({ id: z.string(), settings: attributionSettings });
export type Generation = z.infer<typeof generation>;

/**
 * What holds, and what will. From the moment that other settings are taken over until everybody is told by them, each
 * conversion is told by both, beside one another; reports read the first until then and the second from then on.
 */
export const generations = z.strictObject({
  /** Counts the changes; part of each edition, so that who did not know of a change never replaces who did. */
  seq: z.int().positive(),
  current: generation,
  next: generation
    .extend({
      pass: z.int().positive(),
      /** Parts that this pass has not come to the end of. */
      left: z.array(z.int()),
      /** Whether the parts of this pass were sent. */
      sent: z.boolean(),
    })
    .optional(),
});
export type Generations = z.infer<typeof generations>;

/** The same settings have the same name, however they are written. */
export function generationOf(settings: AttributionSettings): Generation {
  const text = JSON.stringify([FORM, sorted(settings)]);
  return { id: createHash('sha256').update(text).digest('base64url').slice(0, 12), settings };
}

/** Everything that is told: the last is what it will be. */
export const toldBy = ({ current, next }: Generations): Generation[] => (next ? [current, next] : [current]);

/** The state after a brand came with these settings; undefined if they are known. */
export function adopted(state: Generations | undefined, wanted: Generation): Generations | undefined {
  if (!state) return { seq: 1, current: wanted };
  if (toldBy(state).some(({ id }) => id === wanted.id)) return undefined;
  return { seq: state.seq + 1, current: state.current, next: { ...wanted, ...passOf(1) } };
}

/** The state after a part came to its end; after the last part of the last pass, everything is switched at once. */
export function finished(
  state: Generations,
  part: { id: string; pass: number; segment: number },
): Generations {
  const { next } = state;
  if (next?.id !== part.id || next.pass !== part.pass) return state;
  const left = next.left.filter((it) => it !== part.segment);
  if (left.length > 0) return { ...state, next: { ...next, left } };
  if (next.pass < PASSES) return { ...state, next: { ...next, ...passOf(next.pass + 1) } };
  return { seq: state.seq, current: { id: next.id, settings: next.settings } };
}

const passOf = (pass: number) => ({ pass, left: Array.from({ length: PARTS }, (_, i) => i), sent: false });

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, it]) => [name, sorted(it)]);
}
