import { decimalOf, wholeText } from './decimal.ts';

/** A row of a file, or the rows of one order: column → text. Columns that are not there are empty. */
export interface Row {
  get(column: string): string | undefined;
}

/** The text; `undefined` where a column that it names is empty or does not fit its filter. */
export type Template = (row: Row) => string | undefined;

const filters: Readonly<Record<string, (text: string) => string | undefined>> = {
  /** A whole number that was written as a decimal: `26.0` → `26`. */
  integer: (text) => {
    const value = decimalOf(text);
    return value && wholeText(value);
  },
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
};

const hole = /\{([^{}|]+)(?:\|([a-z]+))?\}/g;

/** The columns that a template names. */
export const columnsOf = (template: string): string[] =>
  [...template.matchAll(hole)].map(([, column = '']) => column.trim());

/**
 * A text with columns in it: `campaign-{ref|integer}`. Values are trimmed. Filters: integer, lower, upper.
 *
 * @throws RangeError if a bracket is open or a filter unknown
 */
export function template(source: string): Template {
  const pieces: (string | { column: string; filter: (text: string) => string | undefined })[] = [];
  let end = 0;
  for (const found of source.matchAll(hole)) {
    const [whole, column = '', name] = found;
    const filter = name === undefined ? (text: string) => text : filters[name];
    if (!filter)
      throw new RangeError(`no filter "${name}" in ${source}: there are ${Object.keys(filters).join(', ')}`);
    pieces.push(source.slice(end, found.index), { column: column.trim(), filter });
    end = found.index + whole.length;
  }
  pieces.push(source.slice(end));
  if (pieces.some((it) => typeof it === 'string' && /[{}]/.test(it)))
    throw new RangeError(`an open bracket in ${source}: a column stands as {Column}`);
  return (row) => {
    let text = '';
    for (const piece of pieces) {
      if (typeof piece === 'string') text += piece;
      else {
        const value = row.get(piece.column)?.trim();
        const shown = value ? piece.filter(value) : undefined;
        if (!shown) return undefined;
        text += shown;
      }
    }
    return text;
  };
}
