import { toMinorUnits } from '../events/currency.ts';
import type { Draft } from '../events/draft.ts';
import { type Fields, textOf } from './context.ts';
import { one } from './present.ts';

type Means = (content: Fields) => Pick<Draft, 'type' | 'properties'>;

const CNY = 'CNY';

/** Yuan, as text with a point, in fen. */
const fen = (content: Fields, name: string): number | undefined => {
  const yuan = textOf(content, name);
  return yuan === undefined ? undefined : toMinorUnits(yuan, CNY);
};

const order = (content: Fields) => ({ order_id: textOf(content, 'tid') });

const refund = (content: Fields) => ({
  refund_id: textOf(content, 'refund_id'),
  ...order(content),
  sub_order_id: textOf(content, 'oid'),
});

/** An amount with its currency; where the message has none, that it is not known yet. */
const money = (name: string, amount: number | undefined) =>
  amount === undefined ? { amount_pending: true } : { [name]: amount, currency: CNY };

/** Messages by their topic. Those that are not here are confirmed and counted. Source: open.taobao.com, TMC. */
export const tmcEvents: Readonly<Record<string, Means>> = {
  taobao_trade_TradeCreate: (content) => one('order_created', order(content)),
  taobao_trade_TradeBuyerPay: (content) =>
    one('order_paid', { ...order(content), ...money('paid_amount', fen(content, 'payment')) }),
  taobao_trade_TradePartlySellerShip: (content) =>
    one('order_shipped', { ...order(content), is_partial: true }),
  taobao_trade_TradeSellerShip: (content) => one('order_shipped', { ...order(content), is_partial: false }),
  taobao_trade_TradeSuccess: (content) => one('order_received', order(content)),
  taobao_trade_TradeClose: (content) => one('order_cancelled', order(content)),
  taobao_refund_RefundCreated: (content) =>
    one('refund_requested', { ...refund(content), refund_amount: fen(content, 'refund_fee'), currency: CNY }),
  taobao_refund_RefundSuccess: (content) =>
    one('order_refunded', { ...refund(content), ...money('refund_amount', fen(content, 'refund_fee')) }),
  taobao_refund_RefundClosed: (content) => one('refund_closed', { ...refund(content), reason: 'closed' }),
  // The names of its fields are not published: what has none of these goes to quarantine and waits for better code.
  tmall_mei_PointChange: (content) => {
    const delta = textOf(content, 'change_point', 'changed_point', 'point');
    return one('points_changed', {
      account: 'points',
      delta: delta !== undefined && /^-?\d{1,15}$/.test(delta) ? Number(delta) : undefined,
    });
  },
};
