import type { DataClass, Purpose } from './classes.ts';

/** The same in the two languages of those who read it. */
export interface Words {
  readonly zh: string;
  readonly en: string;
}

const words = (zh: string, en: string): Words => ({ zh, en });

/** What a field is used for, as its person is told. */
export const purposeWords: Readonly<Record<Purpose, Words>> = {
  recognise: words(
    '确认不同渠道的记录属于同一个人',
    'to know that records of several channels are of one person',
  ),
  contract: words(
    '履行您的订单、退款、积分与会员服务',
    'orders, refunds, points and membership that you asked for',
  ),
  converse: words('回复您，并知道可以在哪里联系您', 'to answer you, and to know where you may be written to'),
  analyse: words(
    '标签、生命周期阶段与群体统计',
    'tags, stages of the customer life and statistics of groups',
  ),
  attribute: words('了解哪些触点带来了订单', 'to learn what led to an order'),
  personalise: words('为您提供不同于他人的内容', 'to treat you otherwise than others'),
  prove: words('证明曾同意、要求和完成的事项', 'to prove what was allowed, asked and done'),
  operate: words('保证系统正确与安全', 'to keep the system right and safe'),
};

/** How much harm a value does where it does not belong. */
export const classWords: Readonly<Record<DataClass, Words>> = {
  public: words('公开', 'public'),
  internal: words('内部', 'internal'),
  personal: words('个人信息', 'personal'),
  sensitive: words('敏感个人信息', 'sensitive'),
};

/** Who may see it, and who keeps it. */
export const recipients = {
  masked: words('品牌员工，标识以掩码显示，角色：', 'the brand’s staff, identifiers masked, in the roles: '),
  clear: words(
    '说明理由后可见明文标识的品牌员工（每次查看均记入日志），角色：',
    'staff who see identifiers in clear for a stated reason, each look logged, in the roles: ',
  ),
  personal: words(
    '说明理由后可见手机号与邮箱明文的品牌员工，角色：',
    'staff who see phones and mail addresses in clear for a stated reason, in the roles: ',
  ),
  exports: words(
    '批量导出须两人批准并记入日志；导出后的去向由品牌告知',
    'bulk exports take two people and are logged; where they went the brand has to say',
  ),
  processor: words(
    '受托处理者：亚马逊云科技（中国区由光环新网、西云数据运营），仅限品牌部署的一个区域',
    'entrusted with keeping it: AWS (in China by Sinnet or NWCD), in the one region that the brand deploys to',
  ),
  vendors: words(
    '渠道方仅提供数据；除以其自有编号查询外，不会收到您的数据',
    'channels give data; beyond questions by their own ids they are told nothing of you',
  ),
} as const;

const places: Readonly<Record<string, string>> = {
  profile: '档案：汇总状态、最新事件、标识与标签',
  segment: '事件流水',
  conversion: '订单及其归因',
  identifier: '标识（密钥摘要）到档案的索引',
  activity: '每日活动',
  dayConversion: '当日订单列表',
  member: '标签成员',
  due: '标签下次变化时间的索引',
  quarantine: '未能处理的消息原文',
  kept: '外部联系人变化的摘要',
  surveyPiece: '统计任务的中间结果',
  surveyPage: '统计任务的结果页',
  audit: '审计日志（仅档案摘要）',
  privacyRequest: '您的请求及回执',
  modelPiece: '路径统计的中间结果',
  review: '待核对的两份档案',
  Events: '待处理的事件队列',
  Conversions: '待归因的订单队列',
  Hints: '待向渠道查询的队列',
};

/** A place where something is kept; in Chinese by its name, where nobody has found a better one. */
export const placeWords = (name: string, what: string): Words => words(places[name] ?? name, what);

/** How long, from how the data map says it. */
export function keptWords(days: string): Words {
  const [, count, others = ''] = /^(\d+) days?(?: \((.+)\))?$/.exec(days) ?? [];
  const apart = others && `（${others.replace('orders and refunds', '订单与退款')}）`;
  const lasting = /stack/.test(days)
    ? '与系统同期'
    : /profile/.test(days)
      ? '与您的档案同期，可要求删除'
      : days;
  return words(count === undefined ? lasting : `${count} 天${apart}`, days);
}
