/** A row of a CSV file, or a line that is none. */
export type CsvRecord =
  | { readonly line: number; readonly cells: readonly string[] }
  | { readonly line: number; readonly reason: 'bad_csv'; readonly message: string };

export interface CsvReader {
  /** The rows that are complete with this line; its end (`\n`, `\r\n`) is not given. */
  take(text: string): CsvRecord[];
  end(): CsvRecord[];
}

/** No row is longer, in characters: so far a quote is looked for that closes another. */
const LONGEST = 256 * 1024;

/**
 * Reads CSV as RFC 4180 has it, line by line. A cell in quotes may hold delimiters, doubled quotes and line breaks
 * (all told as `\n`); elsewhere a quote is a character like others. Empty lines are no rows.
 *
 * A row whose quotes do not hold (text after the closing one, or none that closes within 256 K characters) costs its
 * own first line and nothing else: reading goes on with the next line.
 */
export function csvReader(delimiter: string): CsvReader {
  let line = 0;
  /** The lines of a row whose quote is open. */
  let open: string[] = [];
  let length = 0;
  let cells: string[] = [];
  let cell: string | undefined;

  const forget = () => {
    [open, length, cells, cell] = [[], 0, [], undefined];
  };

  /** Reads on. @returns whether the row is done, goes on in the next line, or is none */
  function scan(text: string): 'done' | 'open' | 'bad' {
    let at = 0;
    for (;;) {
      if (cell === undefined) {
        if (text[at] !== '"') {
          const to = text.indexOf(delimiter, at);
          cells.push(to < 0 ? text.slice(at) : text.slice(at, to));
          if (to < 0) return 'done';
          at = to + 1;
          continue;
        }
        cell = '';
        at += 1;
      }
      const quote = text.indexOf('"', at);
      if (quote < 0) {
        cell += `${text.slice(at)}\n`;
        return 'open';
      }
      cell += text.slice(at, quote);
      at = quote + 1;
      if (text[at] === '"') {
        cell += '"';
        at += 1;
        continue;
      }
      cells.push(cell);
      cell = undefined;
      if (at === text.length) return 'done';
      if (text[at] !== delimiter) return 'bad';
      at += 1;
    }
  }

  /** What the lines give, that begin at `line - lines.length + 1`; an open row is kept. */
  function read(lines: readonly string[], isEnd: boolean): CsvRecord[] {
    const found: CsvRecord[] = [];
    const queue = [...lines];
    let at = line - lines.length;
    while (queue.length > 0 || (isEnd && open.length > 0)) {
      const text = queue.shift();
      if (text !== undefined) {
        at += 1;
        if (text === '' && open.length === 0) continue;
        open.push(text);
        length += text.length + 1;
      }
      const first = at - open.length + 1;
      const state = text === undefined || length > LONGEST ? 'bad' : scan(text);
      if (state === 'open') continue;
      if (state === 'done') found.push({ line: first, cells });
      else {
        found.push({
          line: first,
          reason: 'bad_csv',
          message: 'its quotes do not hold: a quote in a quoted cell is doubled',
        });
        const again = open.slice(1);
        queue.unshift(...again);
        at -= again.length;
      }
      forget();
    }
    return found;
  }

  return {
    take(text) {
      line += 1;
      const plain = text.endsWith('\r') ? text.slice(0, -1) : text;
      // Almost all lines of almost all files.
      if (open.length === 0 && !plain.includes('"'))
        return plain === '' ? [] : [{ line, cells: plain.split(delimiter) }];
      return read([plain], false);
    },
    end: () => read([], true),
  };
}
