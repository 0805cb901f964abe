import type { Brand } from '../lib/platform/brand.ts';
import type { DataMap, FieldLine } from '../lib/privacy/data-map.ts';
import { type LineageBrand, lineageOfTag } from '../lib/privacy/lineage.ts';
import { compileRules } from '../lib/tags/rulebook.ts';

const head = (brand: string) => `# Data map 数据地图

Every field that is collected, every place that keeps it: what it is, what for, how long, who sees it. Made from the schemas, the channels'
mappings, the samples in \`events/\`, the ready tags and the rules of the brand \`${brand}\` by \`npm run data-map\`; a test fails for
whatever has no class and no purpose. \`npm run data-map -- --brand NAME --csv\` prints it for another brand, one line a field.

每个采集的字段、每个存放的位置：是什么、为什么、保存多久、谁能看到。由代码中的结构与映射生成；任何没有分类与目的的字段都会使测试失败。

- **public** the brand publishes it · **internal** says what was done, names nobody without the profile · **personal** names or reaches a
  person · **sensitive** PIPL article 28, with its kind.
- Purposes: recognise · contract · converse · analyse · attribute · personalise · prove · operate (\`lib/privacy/classes.ts\`).
- A brand classifies properties and traits of its own in its file: \`privacy: { fields: { skin_tone: 'sensitive:health personalise' } }\`.
- Logs, metrics, keys and queue attributes hold none of these fields: \`test/laws/canaries.test.ts\`.
`;

const row = (cells: readonly string[]) => `| ${cells.map((it) => it.replaceAll('|', '\\|')).join(' | ')} |`;
const tableOf = (columns: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(columns), row(columns.map(() => '---')), ...rows.map(row)].join('\n');
const code = (name: string) => `\`${name}\``;

const titles = {
  identifier: 'Identifiers 标识',
  property: 'Properties of events 事件属性',
  trait: 'Traits of profiles 画像特征',
  envelope: 'Around an event 事件外层',
} satisfies Record<FieldLine['family'], string>;

/** All fields of a family lie in the same places; who sees them depends on the field only among identifiers. */
function fieldTable(map: DataMap, family: FieldLine['family']): string {
  const lines = map.fields.filter((it) => it.family === family);
  const rows = lines.map(({ name, is, channels, shown }) => [
    ...[code(name), is.kind ? `${is.class}: ${is.kind}` : is.class, is.purpose, channels.join(', ')],
    ...(family === 'identifier' ? [shown.join(', ')] : []),
  ]);
  const columns = ['name', 'class', 'purpose', 'channels, by samples'];
  const [first] = lines;
  const where =
    family === 'identifier'
      ? 'In clear for a stated reason only, else masked; phones and mail addresses are stored encrypted. In rows and queues'
      : `Shown to ${first?.shown.join(', ')}. In rows and queues`;
  return [
    `## ${titles[family]}\n`,
    `${where}: ${first?.kept.join(', ')}.\n`,
    tableOf(family === 'identifier' ? [...columns, 'in clear to'] : columns, rows),
  ].join('\n');
}

function placeTable(map: DataMap, family: 'row' | 'queue' | 'log', title: string): string {
  const rows = map.places
    .filter((it) => it.family === family)
    .map(({ name, place, days }) => [
      ...[code(name), place.what, place.class, place.purpose, days],
      place.holds.filter((it) => it !== 'none').join(', '),
    ]);
  return `## ${title}\n\n${tableOf(['name', 'what', 'class at most', 'purpose', 'kept', 'holds'], rows)}`;
}

/** What each of the brand's tags rests on. */
function tagTable(brand: Brand & LineageBrand): string {
  const book = compileRules(
    brand.rules.map((rule) => ({ ...rule, version: 1 })),
    brand,
  );
  const rows = brand.rules.flatMap(({ tag }) => {
    const it = lineageOfTag(tag, book, brand);
    if (!it) return [];
    const fields = [...it.traits, ...it.sources.flatMap(({ properties }) => properties)];
    return [
      [
        ...[code(tag), it.class, [...new Set(it.sources.map(({ type }) => type))].join(', ')],
        [...new Set(fields.map(({ name, class: is }) => `${name} (${is ?? 'unclassified'})`))].join(', '),
      ],
    ];
  });
  return `## Tags of \`${brand.name}\` 标签\n\n\`npm run lineage -- tag NAME\` and \`GET /lineage/tags/{tag}\` say more.\n\n${tableOf(['tag', 'class at most', 'event types', 'properties and traits'], rows)}`;
}

/** The data map as a page of documentation. */
export function dataMapPage(map: DataMap, brand: Brand): string {
  const parts = [
    head(brand.name).trimEnd(),
    ...(['identifier', 'property', 'trait', 'envelope'] as const).map((family) => fieldTable(map, family)),
    placeTable(map, 'row', 'Rows 数据行'),
    placeTable(map, 'queue', 'Queues 队列'),
    placeTable(map, 'log', 'Logs 日志'),
    tagTable(brand),
  ];
  return `${parts.join('\n\n')}\n`;
}
