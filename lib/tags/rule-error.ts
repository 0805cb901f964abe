import { RejectedError } from '../platform/errors.ts';

/** What is wrong with a rule: the text, its types, a name it uses, its window, what it would cost, a circle, a person in it. */
export type RuleFault = 'syntax' | 'type' | 'name' | 'window' | 'cost' | 'cycle' | 'shape' | 'personal';

export interface RulePlace {
  readonly tag?: string;
  /** The whole expression. */
  readonly source?: string;
  /** Where in it, in UTF-16 units from its beginning. */
  readonly start?: number;
}

/** A rule that cannot be compiled. Nothing was changed; the author has to correct it. */
export class RuleError extends RejectedError {
  readonly type: RuleFault;
  readonly tag: string | undefined;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The line in question and, under it, a caret at the column; empty where there is no expression. */
  readonly caret: string;

  private readonly place: RulePlace;

  constructor(type: RuleFault, message: string, place: RulePlace = {}) {
    super('bad_rule', message, 422);
    const { tag, source = '', start = 0 } = place;
    this.place = place;
    this.name = 'RuleError';
    this.type = type;
    this.tag = tag;
    const before = source.slice(0, start);
    this.line = before.split('\n').length;
    this.column = start - before.lastIndexOf('\n');
    const line = source.split('\n')[this.line - 1] ?? '';
    this.caret = source === '' ? '' : `${line}\n${' '.repeat(this.column - 1)}^`;
  }

  /** The same fault, said of a tag. */
  inTag(tag: string | undefined): RuleError {
    return new RuleError(this.type, this.message, { ...this.place, tag });
  }
}
