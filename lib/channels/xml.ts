import { SaxesParser } from 'saxes';
import type { Json } from '../events/event.ts';
import { FaultError } from '../events/fault.ts';

const DEPTH = 8;

/** Five hundred items of ten fields: no vendor's message has more. */
const ELEMENTS = 5000;

/** `<` and `&` wherever they stand: two of an element and two of its CDATA, or what a writer escaped. */
const MARKS = 4 * ELEMENTS;

/** The only elements that may repeat in what WeChat and WeCom send; they are always an array. */
const REPEATED = new Set(['List', 'Item', 'item']);

interface Node {
  readonly name: string;
  readonly children: Record<string, Json>;
  parent: boolean;
  text: string;
}

/**
 * Reads a vendor's XML: elements and text, nothing else. Text stays a string, untrimmed (`0123`, `1e5` and
 * int64 ids are what they were); an element with children is an object; `List` and `Item` are arrays.
 *
 * @throws FaultError `undecodable`: not well-formed, DOCTYPE, processing instruction, attribute, an element that
 *   repeats, text between elements, nesting deeper than 8, more than 5000 elements, or 20,000 marks
 */
export function readXml(text: string): { [name: string]: Json } {
  const parser = new SaxesParser();
  const stack: Node[] = [];
  let root: Json | undefined;
  let elements = 0;
  const refuse = (why: string): never => {
    throw new FaultError('undecodable', `XML: ${why}`);
  };
  if (marksIn(text) > MARKS) refuse('more marks than anybody writes');
  parser.on('doctype', () => refuse('DOCTYPE is not allowed'));
  parser.on('processinginstruction', () => refuse('processing instructions are not allowed'));
  parser.on('attribute', () => refuse('attributes are not allowed'));
  parser.on('error', () => refuse('not well-formed')); // the parser's own words quote the body
  parser.on('opentag', ({ name }) => {
    if (stack.length >= DEPTH) refuse(`nested deeper than ${DEPTH}`);
    if (++elements > ELEMENTS) refuse(`more than ${ELEMENTS} elements`);
    const above = stack.at(-1);
    if (above) above.parent = true;
    stack.push({ name, children: {}, parent: false, text: '' });
  });
  const onText = (piece: string) => {
    const open = stack.at(-1);
    if (open) open.text += piece;
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    const { name, children, parent, text: inner } = stack.pop()!;
    if (parent && inner.trim() !== '') refuse('text between elements');
    const value: Json = parent ? children : inner;
    const above = stack.at(-1);
    if (above) put(above.children, name, value, refuse);
    else root = value;
  });
  try {
    parser.write(text).close();
  } catch (error) {
    if (error instanceof FaultError) throw error;
    refuse('not well-formed');
  }
  return typeof root === 'object' && root !== null && !Array.isArray(root)
    ? root
    : refuse('an element with fields was expected');
}

/** Counted before a parser sees them: each costs it as much as a hundred letters. */
function marksIn(text: string): number {
  let marks = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3c || code === 0x26) marks++;
  }
  return marks;
}

function put(into: Record<string, Json>, name: string, value: Json, refuse: (why: string) => never): void {
  if (name === '__proto__' || name === 'constructor') return;
  if (REPEATED.has(name)) {
    const list = into[name];
    if (Array.isArray(list)) list.push(value);
    else into[name] = [value];
    return;
  }
  if (Object.hasOwn(into, name)) refuse(`<${name.slice(0, 64)}> stands twice`);
  into[name] = value;
}
