// Columns of plain text, in which a Chinese character is as wide as it is on a terminal.

/** How many cells a terminal gives a text: two for the wide and full-width of East Asia and for emoji, none for marks. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += /\p{Mark}|\u200d/u.test(letter) ? 0 : isWide(letter) ? 2 : 1;
  return width;
}

const isWide = (letter: string) =>
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u.test(
    letter,
  );

const padded = (text: string, width: number, right: boolean) => {
  const room = ' '.repeat(Math.max(0, width - widthOf(text)));
  return right ? room + text : text + room;
};

/**
 * Rows as lines, each column as wide as its widest cell.
 *
 * @param form a letter for each column: `l` left, `r` right
 */
export function columns(rows: readonly (readonly string[])[], form: string, indent = '  '): string {
  const widths = [...form].map((_, i) => Math.max(0, ...rows.map((row) => widthOf(row[i] ?? ''))));
  return rows
    .map((row) => {
      const cells = widths.map((width, i) => padded(row[i] ?? '', width, form[i] === 'r'));
      return `${indent}${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** `1234567` minor units as `12,345.67`. */
export function money(amount: number, exponent: number): string {
  return (amount / 10 ** exponent).toLocaleString('en-US', {
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
}
