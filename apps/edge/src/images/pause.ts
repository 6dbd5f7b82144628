/**
 * Lets others run, for as long as they need: encoders and composers call it between slices of work,
 * none of which takes much longer than rendering one small picture.
 * @throws when nobody waits for the work any more.
 */
export type Pause = () => Promise<void>;

/** For work that nobody else waits behind. */
export const noPause: Pause = async () => undefined;
