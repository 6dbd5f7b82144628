/**
 * A mistake of the person at the keyboard, not of the program: shown as one line without a stack.
 * The message says what was wrong, where, and how to mend it.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
