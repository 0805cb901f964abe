// Scope: a graph on the disk: whole, and not a byte larger for what hardly anybody has.
import { expect, test } from 'vitest';
import { decisionEvent } from '../../lib/identity/decisions.ts';
import { packGraph, storedGraph, unpackGraph } from '../../lib/profile/graph-codec.ts';
import { aSighting, graphOf } from '../identity/a-graph.ts';
import { anId, day, START } from './a-profile.ts';

const plain = [
  aSighting(0, 'member_id:m1', 'phone:+8613800138000', 'device_id:d'),
  aSighting(1, 'device_id:d'),
];
const decision = decisionEvent(
  [anId('member_id:m1'), anId('phone:+8613800138000')],
  { verdict: 'apart', by: 'Li', why: 'two sisters' },
  day(2),
);

test('nobody decided, nobody shares: the form is what it always was', () => {
  const packed = packGraph(graphOf(...plain), START);
  expect(packed).toHaveLength(4);
  expect(packed[3].map((attachment) => attachment.length)).toEqual([3]);
  expect(unpackGraph(storedGraph(packed), START)).toEqual(graphOf(...plain));
});

test('decisions and owners are read as they were written, with who, why and when', () => {
  const shown = [2, 3].map((i) => aSighting(i, `member_id:m${i}`, 'device_id:d'));
  const graph = graphOf(...plain, ...shown, decision);
  const packed = JSON.parse(JSON.stringify(packGraph(graph, START)));
  const read = unpackGraph(storedGraph(packed), START);
  expect(read).toEqual(graph);
  expect([...read.decisions.values()]).toMatchObject([
    { verdict: 'apart', by: 'Li', why: 'two sisters', at: day(2) },
  ]);
  expect(read.attachments.get('device_id\ndemo\nd')?.owners).toHaveLength(3);
});
