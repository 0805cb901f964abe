import { z } from 'zod';
import { source } from '../events/event.ts';

/** Something that a vendor announced and did not say: what it has to be asked for. */
export const hint = z.strictObject({
  /** The vendor's name of the question. */
  what: z.string().min(1).max(64),
  /** What the question is about. Two hints that agree in `what` and `of` are one question. A name of whose value a person is known stands in `lib/privacy/letters.ts` too. */
  of: z.record(z.string().max(64), z.string().max(256)),
  /** When the vendor says that it happened, in milliseconds. */
  at: z.number().optional(),
  /** A short-lived permission of the vendor's to ask. It goes no further than the queue. */
  pass: z.string().max(256).optional(),
});
export type Hint = z.infer<typeof hint>;

/** A message of the `hints` queue. */
export const hintMessage = z.strictObject({ source, hint });
export type HintMessage = z.infer<typeof hintMessage>;

/** The topic of a question in quarantine: replayed, it is asked again. */
export const HINT = 'siyu/hint';

/** The question, whatever announced it. */
export const questionOf = ({ source: { channel, account }, hint: { what, of } }: HintMessage): string =>
  JSON.stringify([channel, account, what, Object.entries(of).sort()]);
