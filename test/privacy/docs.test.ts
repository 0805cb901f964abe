// Scope: docs/privacy.md and .zh.md: both say the same of the same articles, and what they name is there.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { previewRoutes } from '../../lib/identity/preview-routes.ts';
import { groupReportRoute } from '../../lib/privacy/group-report.ts';
import { attributionRoutes } from '../../lib/query/attribution.ts';
import { allRoutes } from '../query/a-caller.ts';

const root = new URL('../../', import.meta.url);
const textOf = (file: string) => readFileSync(new URL(file, root), 'utf8');
const pages = { en: textOf('docs/privacy.md'), zh: textOf('docs/privacy.zh.md') };
const rowsOf = (page: string) =>
  page
    .split('\n')
    .flatMap((line) => (/^\| \d/.test(line) ? [line.split('|').map((cell) => cell.trim())] : []));
const codeIn = (page: string) => [...page.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

test('both tongues speak of the same articles, name the same things, and leave the same open', () => {
  const [en, zh] = [rowsOf(pages.en), rowsOf(pages.zh)];
  const articles = en.map(([, article]) => article);
  expect(zh.map(([, article]) => article)).toEqual(articles);
  expect(zh.map((cells) => codeIn(cells.join()).sort())).toEqual(
    en.map((cells) => codeIn(cells.join()).sort()),
  );
  const isOpen = (cells: readonly string[]) => cells.length > 5 && cells[4] !== '';
  expect(zh.map(isOpen)).toEqual(en.map(isOpen));
});

test('every relevant article is there', () => {
  const numbers = rowsOf(pages.en).flatMap(([, article = '']) => {
    const [from = 0, to = from] = article.split('–').map(Number);
    return article.includes('–')
      ? Array.from({ length: to - from + 1 }, (_, i) => from + i)
      : article.split(', ').map(Number);
  });
  const relevant = [
    4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 19, 21, 23, 24, 28, 29, 30, 31, 38, 39, 40, 44, 45, 46, 47, 48, 49,
    50,
  ];
  expect([...relevant, 51, 52, 53, 54, 55, 56, 57, 66].filter((it) => !numbers.includes(it))).toEqual([]);
});

describe.each(Object.entries(pages))('the page in %s', (_, page) => {
  test('names routes, commands and files that there are', () => {
    const routes = [...allRoutes, ...attributionRoutes, ...previewRoutes, groupReportRoute];
    const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
    const named = codeIn(page).filter((code) => /^(GET|POST|PUT) \//.test(code));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((it) => !known.has(it))).toEqual([]);
    const files = codeIn(page).filter((code) => /^[\w/.-]+\.(ts|md)$/.test(code));
    const links = [...page.matchAll(/\]\(([^)#]+)/g)].map(([, to = '']) => `docs/${to}`);
    expect([...files, ...links].filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  });
});
