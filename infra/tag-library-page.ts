import {
  expressionsOf,
  type Library,
  type ReadyTag,
  type Trade,
  tagsReadBy,
  trades,
  traitsReadBy,
} from '../lib/tags/library.ts';

type Tongue = 'zh' | 'en';

const titles: Readonly<Record<Trade, Readonly<Record<Tongue, string>>>> = {
  ecommerce: { zh: '电商', en: 'E-commerce' },
  beauty: { zh: '美妆', en: 'Beauty' },
  education: { zh: '教育', en: 'Education' },
  finance: { zh: '金融', en: 'Finance' },
  retail: { zh: '零售', en: 'Retail' },
};

const words = {
  en: {
    head: (count: number) => `# The library of ready tags

English · [中文](tag-library.zh.md)

${count} tags for five trades, in the language of [rules](rules.md). They read standard events only; the traits that one needs
are named beside it. A brand takes a whole trade or single tags by name, in its file:

\`\`\`ts
library: ['retail', 'beauty/skincare_refill'],
\`\`\`

What a tag reads comes with it, and a rule of the brand's own for the same tag stands. On a running brand, put one:

\`\`\`
npm run rules -- library --trade retail
npm run rules -- library --show skincare_refill > rule.json
curl -X PUT -H "authorization: Bearer $SIYU_API_KEY" --data @rule.json https://…/rules/skincare_refill
\`\`\`

Amounts are minor units: 300000 is 3,000.00. Dates of campaigns and seasons, categories and ids are examples to change. This page
is made from \`lib/tags/library/\` by \`npm run rules -- library --page en\`.

Beyond what standard events require, rules read \`order_paid\`: \`products[]\` (\`product_id\`, \`category\`), \`store_id\` · \`coupon_redeemed\`:
\`store_id\` · \`coupon_issued\`: \`expires_at\` · \`points_changed\`: \`balance_after\`, \`biz_type\` · \`lead_submitted\`: \`form_id\`.
`,
    columns: ['tag', 'name', 'what for', 'rule', 'needs'],
    needs: { traits: 'traits', tags: 'tags', money: 'amounts' },
  },
  zh: {
    head: (count: number) => `# 标签库

[English](tag-library.md) · 中文

五个行业共 ${count} 个现成标签，以[规则语言](rules.zh.md)写成。只读标准事件；需要的特征写在旁边。品牌文件可按名取用整个行业或单个标签：

\`\`\`ts
library: ['retail', 'beauty/skincare_refill'],
\`\`\`

标签所读的其他标签会一并取用；品牌对同一标签自有规则的，以品牌为准。对运行中的品牌，单个写入：

\`\`\`
npm run rules -- library --trade retail
npm run rules -- library --show skincare_refill > rule.json
curl -X PUT -H "authorization: Bearer $SIYU_API_KEY" --data @rule.json https://…/rules/skincare_refill
\`\`\`

金额为最小货币单位：300000 即 3,000.00。活动与季节日期、品类、编号均为示例，请自行修改。本页由 \`lib/tags/library/\` 经
\`npm run rules -- library --page zh\` 生成。

除标准事件的必填属性外，规则还读 \`order_paid\`：\`products[]\`（\`product_id\`、\`category\`）、\`store_id\` · \`coupon_redeemed\`：\`store_id\` ·
\`coupon_issued\`：\`expires_at\` · \`points_changed\`：\`balance_after\`、\`biz_type\` · \`lead_submitted\`：\`form_id\`。
`,
    columns: ['标签', '名称', '用途', '规则', '需要'],
    needs: { traits: '特征', tags: '标签', money: '金额' },
  },
} as const;

/** The library as a page of documentation: a table for each trade. */
export function libraryPage(library: Library, tongue: Tongue): string {
  const { head, columns } = words[tongue];
  const count = trades.reduce((sum, trade) => sum + library[trade].length, 0);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const tables = trades.map((trade) =>
    [
      `## ${titles[trade][tongue]}`,
      '',
      row(columns),
      row(columns.map(() => '---')),
      ...library[trade].map((it) => row(cellsOf(it, tongue))),
    ].join('\n'),
  );
  return `${[head(count).trimEnd(), ...tables].join('\n\n')}\n`;
}

function cellsOf(it: ReadyTag, tongue: Tongue): string[] {
  const { traits, tags, money } = words[tongue].needs;
  const needs = [
    [traits, traitsReadBy(it)],
    [tags, tagsReadBy(it)],
    [money, it.money.map(amount)],
  ] as const;
  return [
    `\`${it.tag}\``,
    it.name[tongue],
    it.why[tongue],
    ruleText(it),
    needs.flatMap(([name, list]) => (list.length > 0 ? [`${name}: ${list.join(', ')}`] : [])).join('; '),
  ];
}

/** In a table a bar is the end of a cell. */
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;

const ruleText = (it: ReadyTag): string =>
  it.values === undefined
    ? expressionsOf(it).map(code).join('')
    : Object.entries(it.values)
        .map(([value, text]) => `${value}: ${code(text)}`)
        .join('<br>');

/** `300000` as `3,000.00`: the library's amounts are of currencies with hundredths. */
export const amount = (minor: number): string =>
  (minor / 100).toLocaleString('en', { minimumFractionDigits: 2 });
