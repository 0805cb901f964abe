import { z } from 'zod';
import { compare, decimalOf } from './decimal.ts';
import type { Row } from './template.ts';

const bound = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = decimalOf(String(value));
  if (parsed) return parsed;
  context.addIssue('not a number');
  return z.NEVER;
});

const pattern = z.string().transform((source, context) => {
  try {
    return new RegExp(source, 'u');
  } catch {
    context.addIssue('not a regular expression');
    return z.NEVER;
  }
});

const said = z.strictObject({
  equals: z.union([z.string(), z.array(z.string())]).optional(),
  matches: pattern.optional(),
  present: z.boolean().optional(),
  above: bound.optional(),
  below: bound.optional(),
  at_least: bound.optional(),
  at_most: bound.optional(),
});
type Said = z.infer<typeof said>;

/**
 * What a column has to be: a text, or an object all of which has to hold. An empty column is no number: it is
 * neither above nor below anything.
 */
const test = z.union([z.string().transform((equals): Said => ({ equals })), said]);

/** Column → what it has to be; all of them have to hold, and none always holds. */
export const condition = z.record(z.string(), test);
export type Condition = z.infer<typeof condition>;

export const holds = (when: Condition, row: Row): boolean =>
  Object.entries(when).every(([column, asked]) => fits(asked, row.get(column)?.trim() ?? ''));

function fits({ equals, matches, present, ...bounds }: Said, text: string): boolean {
  if (equals !== undefined && !(Array.isArray(equals) ? equals.includes(text) : equals === text))
    return false;
  if (matches && !matches.test(text)) return false;
  if (present !== undefined && present !== (text !== '')) return false;
  const { above, below, at_least: least, at_most: most } = bounds;
  if (!above && !below && !least && !most) return true;
  const value = decimalOf(text);
  return (
    value !== undefined &&
    (!above || compare(value, above) > 0) &&
    (!below || compare(value, below) < 0) &&
    (!least || compare(value, least) >= 0) &&
    (!most || compare(value, most) <= 0)
  );
}
