// The people of a brand that sells: followers, visitors, shoppers, regulars, and who brings things back.
import { DAYS, type Kind, type Life, type Trade } from './demo-life.ts';
import type { Campaign, Product } from './demo-person.ts';

const campaigns: readonly [Campaign, ...Campaign[]] = [
  { source: 'douyin', medium: 'feed', name: 'autumn_repair' },
  { source: 'xiaohongshu', medium: 'kol', name: 'autumn_repair' },
  { source: 'xiaohongshu', medium: 'note', name: 'sensitive_skin' },
  { source: 'wechat', medium: 'menu', name: 'member_day' },
  { source: 'wechat', medium: 'article', name: 'ingredients' },
  { source: 'baidu', medium: 'cpc', name: 'brand_words' },
];
const products: readonly [Product, ...Product[]] = [
  { id: 'CLEANSER-120', name: '氨基酸洁面 120ml', price: 12_900 },
  { id: 'TONER-200', name: '舒缓化妆水 200ml', price: 16_800 },
  { id: 'SERUM-30', name: '神经酰胺精华 30ml', price: 39_900 },
  { id: 'CREAM-50', name: '修护面霜 50g', price: 29_800 },
  { id: 'MASK-5', name: '积雪草面膜 5 片', price: 9_900 },
  { id: 'SUN-40', name: '轻透防晒 40ml', price: 15_900 },
  { id: 'SET-GIFT', name: '修护礼盒', price: 88_800 },
];
const stores: readonly [string, ...string[]] = ['store0021', 'store0022', 'store0108'];
const questions: readonly [string, ...string[]] = [
  '敏感肌能用吗',
  '什么时候发货',
  '有试用装吗',
  '会员日是哪天',
];
const CARD = 'pQingheCoupon01';

/** Comes by a campaign, looks at things, may put one into the cart. @returns when it ends, and what was looked at */
function browse({ person, dice, after }: Life, from: number, campaign: Campaign | undefined, buys: boolean) {
  person.page(from, '/', '首页', campaign);
  let at = from;
  const looked: Product[] = [];
  for (let n = dice.between(1, 3); n > 0; n--) {
    const product = dice.pick(products);
    looked.push(product);
    at = after(at, 1, 4);
    person.page(at, `/p/${product.id}`, product.name, undefined, 'https://shop.qinghe.example.com/');
    person.track(at + 1000, 'Product Viewed', product);
  }
  if (buys || dice.chance(0.35)) {
    at = after(at, 1, 3);
    person.track(at, 'Product Added', looked.at(-1) ?? products[0], { quantity: 1 }, campaign);
  }
  return { at, looked };
}

function register({ person, dice }: Life, at: number): void {
  person.row(at, 'crm', 'member.registered', {
    level: dice.pick(['银卡', '金卡']),
    city: dice.pick(['上海', '杭州', '成都', '广州', '北京']),
    traits: { skin_type: dice.pick(['dry', 'oily', 'sensitive', 'mixed']) },
  });
}

/** Follows, mostly by a code in a shop; clicks; writes; some leave again. */
const follower: Kind = {
  share: 34,
  live(life) {
    const { person, dice, at, after } = life;
    const days = dice.between(0, DAYS);
    const from = at(days);
    person.follow(from, dice.chance(0.7) ? dice.pick(stores) : undefined);
    if (dice.chance(0.6)) person.clickMenu(after(from, 1, 30), 'MENU_MEMBER_DAY');
    if (dice.chance(0.3)) person.write(after(from, 5, 600), dice.pick(questions));
    if (dice.chance(0.3)) person.takeCard(after(from, 10, 90), CARD, `C${person.next('c')}`);
    if (dice.chance(0.25)) browse(life, at(dice.between(0, days)), dice.pick(campaigns), false);
    if (days > 10 && dice.chance(0.25)) person.unfollow(at(dice.between(0, days - 5)));
  },
};

/** Looks and does not buy: a browser that nobody knows by name. */
const visitor: Kind = {
  share: 18,
  live(life) {
    const { dice, at } = life;
    const days = dice.between(0, DAYS);
    for (let n = dice.between(1, 4); n > 0; n--)
      browse(
        life,
        at(dice.between(Math.max(0, days - 9), days)),
        dice.chance(0.7) ? dice.pick(campaigns) : undefined,
        false,
      );
  },
};

/** Comes by advertisements, two or three times, signs in and buys online; then buys again, or not. */
const shopper: Kind = {
  share: 22,
  live(life) {
    const { person, dice, at, after } = life;
    let days = dice.between(4, DAYS);
    const first = dice.pick(campaigns);
    browse(life, at(days), first, false);
    days -= dice.between(1, 3);
    if (dice.chance(0.6)) browse(life, at(days), dice.pick(campaigns), false);
    days = Math.max(0, days - 1);
    const visit = browse(life, at(days), dice.chance(0.6) ? dice.pick(campaigns) : undefined, true);
    const signed = after(visit.at, 1, 2);
    person.signIn(signed, { city: dice.pick(['上海', '杭州', '深圳']) });
    if (dice.chance(0.5)) register(life, signed + 5000);
    const order = person.orderOnline(after(signed, 1, 5), visit.looked);
    const total = visit.looked.reduce((sum, { price }) => sum + price, 0);
    if (days > 4 && dice.chance(0.15))
      person.refundOnline(at(days - 3), order, dice.chance(0.5) ? total : 9_900);
    while (days > 12 && dice.chance(0.45)) {
      days -= dice.between(8, 12);
      const again = browse(life, at(days), dice.pick(campaigns), true);
      person.orderOnline(after(again.at, 2, 6), again.looked, 2_000);
    }
  },
};

/** Follows in a shop, becomes a member at the till, buys there. */
const storeMember: Kind = {
  share: 14,
  live(life) {
    const { person, dice, at, after } = life;
    let days = dice.between(2, DAYS);
    const from = at(days);
    const store = dice.pick(stores);
    person.follow(from, store);
    const joined = after(from, 2, 6);
    register(life, joined);
    person.link(joined + 20_000);
    person.orderInStore(after(joined, 3, 20), store, [dice.pick(products)]);
    while (days > 9 && dice.chance(0.4)) {
      days -= dice.between(6, 9);
      person.scan(at(days), store);
      person.orderInStore(at(days - 1), store, [dice.pick(products), dice.pick(products)]);
    }
  },
};

/** Years of purchases, online and in shops; some of them have not been seen for a month or more. */
const regular: Kind = {
  share: 9,
  live(life) {
    const { person, dice, at, after } = life;
    const store = dice.pick(stores);
    const last = dice.pick([1, 6, 20, 34, 45, 70, 120]);
    for (let days = dice.between(200, 240); days > last + 20; days -= dice.between(18, 40))
      person.orderInStore(at(days), store, [dice.pick(products), dice.pick(products)]);
    person.follow(at(Math.max(last, DAYS)), store);
    register(life, at(240));
    person.link(at(Math.max(last, DAYS)));
    person.addContact(at(last + 6), 'staff-07');
    person.clickMenu(at(last + 2), 'MENU_MEMBER_DAY');
    person.signIn(at(last + 1));
    const visit = browse(life, at(last), dice.pick(campaigns), true);
    person.orderOnline(after(visit.at, 3, 9), [
      ...visit.looked,
      { id: 'SET-GIFT', name: '修护礼盒', price: 88_800 },
    ]);
  },
};

/** Buys with coupons, and brings back half of it. */
const bargainHunter: Kind = {
  share: 3,
  live(life) {
    const { person, dice, at, after } = life;
    person.follow(at(50), dice.pick(stores));
    register(life, at(49));
    person.link(at(49));
    for (const days of [44, 31, 16, 5]) {
      const code = `C${person.next('c')}`;
      person.takeCard(at(days + 1), CARD, code);
      const visit = browse(life, at(days), { source: 'wechat', medium: 'coupon', name: 'coupon_day' }, true);
      const ordered = after(visit.at, 3, 9);
      const order = person.orderOnline(ordered, visit.looked, 5_000);
      person.useCard(ordered + 1000, CARD, code);
      if (days > 10 && dice.chance(0.8)) person.refundOnline(at(days - 4), order, 9_900);
    }
  },
};

/** A brand of skin care, with shops, a web shop and an official account. */
export const shopLives: Trade = {
  site: 'shop.qinghe.example.com',
  phone: (n) => `1380013${String(8100 + n)}`,
  kinds: [follower, visitor, shopper, storeMember, regular, bargainHunter],
};
