import { z } from 'zod';
import { csvReader } from '../import/csv.ts';
import { type TouchRole, touchRole } from '../platform/brand-words.ts';
import { DAY } from '../platform/clock.ts';

/** What is wrong with a file of journeys or of groups, and what to do about it. Never what stands in it. */
export class JudgeFileError extends Error {
  override readonly name = 'JudgeFileError';
}

/** All that one person did, in days since 1970 UTC, each list in time order. */
export interface Journey {
  readonly touches: readonly { readonly at: number; readonly channel: string; readonly role: TouchRole }[];
  readonly conversions: readonly number[];
}

export interface LinesReader<T> {
  /** The next line, without its line break. @throws JudgeFileError naming the line */
  take(line: string): void;
  end(): T;
}

interface Gathered {
  readonly touches: Journey['touches'][number][];
  readonly conversions: number[];
}

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) / DAY);

const journeyLine = z.object({
  person: z.string().min(1).optional(),
  touches: z
    .array(z.object({ at: time, channel: z.string().min(1), role: touchRole.optional() }))
    .default([]),
  conversions: z.array(time).default([]),
});

const journeyRow = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('touch'),
    person: z.string().min(1),
    at: time,
    channel: z.string().min(1),
    role: touchRole.or(z.literal('').transform(() => undefined)).optional(),
  }),
  z.object({ kind: z.literal('conversion'), person: z.string().min(1), at: time }),
]);

/** Names that a column goes by, in any case of letters. */
const COLUMNS = {
  person: ['person', 'profile', 'user'],
  at: ['at', 'ts', 'time'],
  kind: ['kind'],
  channel: ['channel'],
  role: ['role'],
} as const;

/**
 * Reads journeys, line by line, as CSV with a row for each touch and each conversion, in any order,
 *
 *     person,at,kind,channel,role
 *     p1,2026-11-01T09:00:00Z,touch,wecom,indirect
 *     p1,2026-11-03T20:15:00+08:00,conversion,,
 *
 * or as NDJSON with a line for each person (a line that begins with `{`). People who never converted belong in it.
 *
 *     {"person":"p1","touches":[{"at":"2026-11-01T09:00:00Z","channel":"wecom"}],"conversions":[]}
 *
 * One bad line ends the reading: what is left out in silence would shift every figure.
 *
 * @param roles of the channels of touches that name none; `latent` for the others
 */
export function journeysReader(roles: ReadonlyMap<string, TouchRole> = new Map()): LinesReader<Journey[]> {
  const people = new Map<string, Gathered>();
  const nameless: Gathered[] = [];
  let csv: ReturnType<typeof tableReader> | undefined;
  let isJson: boolean | undefined;
  let line = 0;

  const gatheredOf = (person: string | undefined): Gathered => {
    const known = person === undefined ? undefined : people.get(person);
    if (known) return known;
    const fresh: Gathered = { touches: [], conversions: [] };
    if (person === undefined) nameless.push(fresh);
    else people.set(person, fresh);
    return fresh;
  };
  const roleOf = (channel: string, role?: TouchRole): TouchRole => role ?? roles.get(channel) ?? 'latent';

  const takeJson = (text: string) => {
    const { person, touches, conversions } = checked(journeyLine, jsonOf(text, line), line);
    const into = gatheredOf(person);
    for (const { at, channel, role } of touches)
      into.touches.push({ at, channel, role: roleOf(channel, role) });
    into.conversions.push(...conversions);
  };
  const takeRow = (cells: Readonly<Record<string, string>>, line: number) => {
    const row = checked(journeyRow, cells, line);
    const into = gatheredOf(row.person);
    if (row.kind === 'conversion') into.conversions.push(row.at);
    else into.touches.push({ at: row.at, channel: row.channel, role: roleOf(row.channel, row.role) });
  };

  return {
    take(text) {
      line += 1;
      const plain = line === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (plain.trim() === '' && isJson !== false) return;
      isJson ??= plain.trimStart().startsWith('{');
      if (isJson) return takeJson(plain);
      csv ??= tableReader(COLUMNS, ['person', 'at', 'kind', 'channel'], takeRow);
      csv.take(plain);
    },
    end() {
      csv?.end();
      const all = [...people.values(), ...nameless];
      if (all.length === 0) throw new JudgeFileError('the file holds no journeys');
      for (const { touches, conversions } of all) {
        touches.sort((a, b) => a.at - b.at);
        conversions.sort((a, b) => a - b);
      }
      return all;
    },
  };
}

function jsonOf(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JudgeFileError(`line ${line}: not a line of JSON`);
  }
}

/** What a line says, if it is as it must be; an error names its field only. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, line: number): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path = [], code = '' } = {}] = parsed.error.issues;
  throw new JudgeFileError(`line ${line}: ${path.join('.') || 'the line'} is not as it must be (${code})`);
}

/** Reads a CSV file whose first line names its columns; what delimits cells is found there: `,`, `;` or a tab. */
export function tableReader(
  names: Readonly<Record<string, readonly string[]>>,
  needed: readonly string[],
  take: (cells: Readonly<Record<string, string>>, line: number) => void,
): LinesReader<readonly string[]> {
  let csv: ReturnType<typeof csvReader> | undefined;
  let head: readonly string[] | undefined;
  const read = (records: ReturnType<ReturnType<typeof csvReader>['take']>) => {
    for (const record of records) {
      if (!('cells' in record)) throw new JudgeFileError(`line ${record.line}: ${record.message}`);
      const { cells, line } = record;
      if (!head) {
        head = cells.map((it) => columnOf(names, it.trim().toLowerCase()));
        const missing = needed.filter((it) => !head?.includes(it));
        if (missing.length > 0)
          throw new JudgeFileError(`the first line names no column ${missing.join(', ')}`);
        continue;
      }
      if (cells.length !== head.length)
        throw new JudgeFileError(
          `line ${line}: ${cells.length} cells, and the first line names ${head.length} columns`,
        );
      take(Object.fromEntries(head.map((name, i) => [name, cells[i]!.trim()])), line);
    }
  };
  return {
    take(line) {
      csv ??= csvReader(delimiterOf(line));
      read(csv.take(line));
    },
    end() {
      if (csv) read(csv.end());
      if (!head) throw new JudgeFileError('the file is empty: its first line has to name the columns');
      return head;
    },
  };
}

const columnOf = (names: Readonly<Record<string, readonly string[]>>, written: string): string =>
  Object.keys(names).find((name) => names[name]!.includes(written)) ?? written;

function delimiterOf(line: string): string {
  const often = (it: string) => line.split(it).length;
  return [',', ';', '\t'].reduce((best, it) => (often(it) > often(best) ? it : best));
}
