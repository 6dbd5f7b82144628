/**
 * A mistake of the person at the keyboard, not of the program: shown as one line without a stack.
 * The message says what was wrong, where, and how to mend it.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  /** The message for a public response: without paths of this machine. */
  readonly publicMessage: string;

  /** @param publicMessage the message without paths of this machine, where it has some. */
  constructor(message: string, publicMessage = message) {
    super(message);
    this.publicMessage = publicMessage;
  }
}
