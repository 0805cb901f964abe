import type { Archive } from './archive.ts';

export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

/** Any value as HTML: lists and their members as tables and lists of terms, so that nobody has to read JSON. */
export function told(value: unknown): string {
  if (value === null || value === undefined) return '—';
  if (Array.isArray(value))
    return value.length === 0 ? '—' : `<ol>${value.map((it) => `<li>${told(it)}</li>`).join('')}</ol>`;
  if (typeof value !== 'object') return escaped(String(value));
  const members = Object.entries(value).filter(([, it]) => it !== undefined);
  if (members.length === 0) return '—';
  return `<dl>${members.map(([name, it]) => `<dt>${escaped(name)}</dt><dd>${told(it)}</dd>`).join('')}</dl>`;
}

const parts = [
  ['profile', '您是谁', 'Who you are to us'],
  ['consents', '您同意了什么', 'What you agreed to'],
  ['tags', '您的标签及原因', 'What we call you, and why'],
  ['events', '您做过什么', 'What you did'],
  ['conversions', '订单归因', 'What your orders are credited to'],
] as const;

/** The archive to be read by the person: one page, both languages, nothing loaded from anywhere. */
export const archivePage = (archive: Archive): string =>
  htmlPage(
    archive.brand,
    archive.madeAt,
    parts.map(([name, inChinese, inEnglish]) => [inChinese, inEnglish, told(archive[name])]),
  );

/** One page of sections. @param sections heading in Chinese, in English, and HTML */
export function htmlPage(
  { zh, en }: Archive['brand'],
  madeAt: string,
  of: readonly (readonly [string, string, string])[],
): string {
  const sections = of.map(
    ([inChinese, inEnglish, html]) => `<section><h2>${inChinese} · ${inEnglish}</h2>${html}</section>`,
  );
  const title = `${zh} · ${en}`;
  const style =
    'body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto}dt{color:#666}dd{margin:0 0 .3rem 1rem}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0}';
  return `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>${escaped(title)}</title><style>${style}</style><h1>${escaped(title)}</h1><p>${madeAt}</p>${sections.join('')}</html>`;
}
