/**
 * A mistake of the person at the keyboard, not of the program: shown as one line without a stack.
 * The message says what was wrong, where, and how to mend it.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  /** What strangers may read of it. */
  readonly told: string;

  /** @param told where the message has paths of the machine: the same without them. */
  constructor(message: string, told = message) {
    super(message);
    this.told = told;
  }
}
