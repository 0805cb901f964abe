import type { Access } from './access.ts';
import { classWords, purposeWords, type Words } from './access-words.ts';
import { escaped, htmlPage, told } from './archive-page.ts';

const both = ({ zh, en }: Words): string => `${escaped(zh)}<br><span lang="en">${escaped(en)}</span>`;

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? '—'
    : `<table><tr>${heads.map((it) => `<th>${it}</th>`).join('')}</tr>${rows
        .map((cells) => `<tr>${cells.map((it) => `<td>${it}</td>`).join('')}</tr>`)
        .join('')}</table>`;

/** What is kept of a person and why, to be read by them: one page, both languages, nothing loaded from anywhere. */
export function accessPage(access: Access): string {
  const { data, purposes, sources, retention, conclusions } = access;
  const restricted: [string, string, string][] = access.restrictedAt
    ? [['已限制处理', 'Restricted', `${access.restrictedAt}`]]
    : [];
  return htmlPage(access.brand, access.madeAt, [
    ...restricted,
    ['我们以什么认识您', 'What we know you by', told(access.identifiers)],
    [
      '保存哪些信息',
      'What is kept',
      table(
        ['字段 · field', '类别 · class', '目的 · purpose', '来源 · from'],
        data.map(({ name, class: is, kind, purpose, channels }) => [
          escaped(name),
          both(classWords[is]) + (kind ? ` (${kind})` : ''),
          both(purposeWords[purpose]),
          escaped(channels.join(', ')),
        ]),
      ),
    ],
    [
      '为什么',
      'What for',
      table(
        ['目的 · purpose', '字段数 · fields'],
        purposes.map((it) => [both(it.says), `${it.fields}`]),
      ),
    ],
    [
      '来自哪里',
      'From whom',
      table(
        ['渠道 · channel', '账号 · account', '事件 · events', '起 · from', '止 · to'],
        sources.map(({ channel, account, events, from, to }) => [
          escaped(channel),
          escaped(account),
          `${events}`,
          from,
          to,
        ]),
      ),
    ],
    [
      '谁能看到',
      'Who may see it',
      `<ul>${access.recipients.map((it) => `<li>${both(it)}</li>`).join('')}</ul>`,
    ],
    [
      '保存多久',
      'How long',
      table(
        ['位置 · where', '期限 · kept'],
        retention.map(({ what, kept }) => [both(what), both(kept)]),
      ),
    ],
    [
      '自动得出的结论',
      'What machines conclude',
      table(
        ['标签 · tag', '值 · value', '起 · since', '规则版本 · version'],
        conclusions.map(({ tag, value, since, version }) => [
          escaped(tag),
          escaped(String(value)),
          since,
          `${version}`,
        ]),
      ),
    ],
    ['您同意了什么', 'What you agreed to', told(access.consents)],
    [
      '您的权利',
      'Your rights',
      both({
        zh: '您可以要求获取副本、更正、删除、限制处理或撤回同意，也可向个人信息保护部门投诉。',
        en: 'You may ask for a copy, a correction, erasure or restriction, withdraw what you agreed to, and complain to the authority.',
      }),
    ],
  ]);
}
