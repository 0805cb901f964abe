import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { eventType } from '../events/event.ts';
import { condition } from './condition.ts';

const column = z.string().min(1);
const text = z.string().min(1);

/**
 * How a property or trait is read. A text is a template (`{Column}`, or plain words); a column that is empty leaves
 * the property out.
 *
 * - `money`: a decimal in whole units (12.50) → minor units of the currency, halves away from zero;
 *   with `unit: minor` an integer that is in minor units already; `negate` turns the sign
 * - `integer`: `26.0` → 26; `number`: a decimal
 * - `flag`: true where the column is one of `true`, otherwise false
 */
const property = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({
    money: column,
    currency: text.optional(),
    unit: z.enum(['whole', 'minor']).default('whole'),
    negate: z.boolean().default(false),
  }),
  z.strictObject({ integer: column }),
  z.strictObject({ number: column }),
  z.strictObject({ flag: column, true: z.array(z.string()).default(['true', '1', 'yes', 'Y', '是']) }),
]);
export type PropertyRule = z.infer<typeof property>;

const time = z.union([
  column.transform((it) => ({ column: it, format: undefined, zone: undefined })),
  z.strictObject({ column, format: text.optional(), zone: text.optional() }),
]);

const identifier = z.strictObject({
  kind: text,
  scope: text.optional(),
  value: text,
  /** Used only where none before it had a value. */
  fallback: z.boolean().default(false),
});

const context = z.strictObject({
  campaign: z
    .strictObject({
      channel: text.optional(),
      source: text.optional(),
      medium: text.optional(),
      name: text.optional(),
      term: text.optional(),
      content: text.optional(),
    })
    .optional(),
  session: text.optional(),
  referrer: text.optional(),
  locale: text.optional(),
});

const eventRule = z.strictObject({
  when: condition.default({}),
  type: eventType,
  /** The columns that make it one event and no other; `line` is the line's number, `row` all columns. */
  id: z.union([z.array(column).min(1), z.enum(['line', 'row'])]),
  time,
  identifiers: z.array(identifier).min(1),
  properties: z.record(z.string(), property).default({}),
  traits: z.record(z.string(), property).default({}),
  context: context.default({}),
});
export type EventRule = z.infer<typeof eventRule>;

/** Rows that are to be listed as refused, with this reason. */
const refuseRule = z.strictObject({ when: condition.default({}), refuse: text });
/** Rows that nobody wants: they are counted and not listed. */
const skipRule = z.strictObject({ when: condition.default({}), skip: text });

const group = z.strictObject({
  /** Rows in which these are equal are one event. */
  by: z.array(column).min(1),
  /** A group ends when this many rows have passed without a row of it. */
  gap: z.int().positive().max(100_000).default(1000),
  /** Columns that have to be equal in all rows of a group. All others are those of its first row. */
  same: z.array(column).default([]),
  /** Name → the columns whose product is summed over the rows, exactly; a column like the others from there on. */
  sums: z.record(z.string(), z.array(column).min(1)).default({}),
});
export type GroupRule = z.infer<typeof group>;

/** How the rows of a file become events. The first rule whose `when` holds decides; a row of no rule is refused. */
export const mapping = z.strictObject({
  /** Part of every event's id: two mappings of one account never mean the same event. */
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'lower case letters, digits, - and _, at most 40'),
  format: z.enum(['csv', 'ndjson']).optional(),
  delimiter: z.string().length(1).default(','),
  /** As the WHATWG names them, such as gb18030. */
  encoding: text.default('utf-8'),
  /** Of times that carry no offset: an IANA name. */
  zone: text.optional(),
  /** The format of times unless a rule says otherwise. */
  time: text.default('rfc3339'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'ISO 4217')
    .optional(),
  group: group.optional(),
  rules: z.array(z.union([eventRule, refuseRule, skipRule])).min(1),
});
export type Mapping = z.infer<typeof mapping>;

/** What is wrong with a mapping, a file or a command line: a person has to mend it. */
export class ImportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportError';
  }
}

/** Reads a mapping file. @throws ImportError that names the place */
export function readMapping(yaml: string, from: string): Mapping {
  let input: unknown;
  try {
    input = parse(yaml);
  } catch (error) {
    throw new ImportError(`${from} is not YAML: ${error instanceof Error ? error.message : error}`);
  }
  const rules = z.looseObject({ rules: z.array(z.looseObject({})) }).safeParse(input);
  // Each rule is read as what it means to be, so that a fault is told in its words and not in those of all three.
  for (const [i, rule] of rules.success ? rules.data.rules.entries() : []) {
    const shape = 'refuse' in rule ? refuseRule : 'skip' in rule ? skipRule : eventRule;
    const parsed = shape.safeParse(rule);
    if (!parsed.success)
      throw new ImportError(`${from}, rule ${i + 1} (of rules):\n${z.prettifyError(parsed.error)}`);
  }
  const parsed = mapping.safeParse(input);
  if (!parsed.success) throw new ImportError(`${from} is no mapping:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Tells two mappings apart by their text: an import goes on only with the one that it was begun with. */
export const mappingDigest = (yaml: string): string =>
  createHash('sha256').update(yaml).digest('base64url').slice(0, 22);
