import { toMinorUnits } from '../events/currency.ts';
import type { Draft } from '../events/draft.ts';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';
import { type Fields, textOf } from './context.ts';
import { isRecord } from './json.ts';
import { one, present } from './present.ts';

/** The questions of this channel, by Xiaohongshu's names. */
export const ORDER = 'order.getOrderDetail';
export const RETURN = 'afterSale.getAfterSaleInfo';

const CNY = 'CNY';

type Fetched = Pick<Draft, 'type' | 'properties' | 'at'> & {
  readonly orderId: string;
  readonly userId: string | undefined;
};

/** A paid order as Xiaohongshu has it. `totalPayAmount` is in fen, with the freight. */
export function xiaohongshuOrder(order: Json): Fetched {
  const orderId = isRecord(order) ? textOf(order, 'orderId') : undefined;
  if (!isRecord(order) || !orderId)
    throw new FaultError('bad_shape', 'an order is an object with an orderId');
  const goods = [order.skuList, order.itemList].find(Array.isArray) ?? [];
  return {
    ...one('order_paid', {
      order_id: orderId,
      paid_amount: order.totalPayAmount,
      currency: CNY,
      pay_type: textOf(order, 'paymentType'),
      items: goods.filter(isRecord).map(itemOf),
    }),
    at: textOf(order, 'paidTime'),
    orderId,
    userId: textOf(order, 'userId'),
  };
}

const itemOf = (sku: Fields) =>
  present({
    product_id: textOf(sku, 'itemId'),
    sku_id: textOf(sku, 'skuId'),
    name: textOf(sku, 'skuName', 'itemName'),
    quantity: sku.skuQuantity,
    paid_amount: sku.totalPaidAmount,
  });

/** A finished refund as Xiaohongshu has it. `refundAmountYuan` is what was paid back, in yuan. */
export function xiaohongshuReturn(info: Json): Fetched & { readonly returnsId: string } {
  const orderId = isRecord(info) ? textOf(info, 'orderId') : undefined;
  const returnsId = isRecord(info) ? textOf(info, 'returnsId') : undefined;
  if (!isRecord(info) || !orderId || !returnsId)
    throw new FaultError('bad_shape', 'an after-sale has a returnsId and an orderId');
  const yuan = textOf(info, 'refundAmountYuan');
  return {
    ...one('order_refunded', {
      refund_id: returnsId,
      order_id: orderId,
      refund_amount: yuan === undefined ? undefined : toMinorUnits(yuan, CNY),
      currency: CNY,
      return_type: textOf(info, 'returnType'),
    }),
    at: textOf(info, 'refundTime', 'updatedAt'),
    orderId,
    userId: textOf(info, 'userId'),
    returnsId,
  };
}
