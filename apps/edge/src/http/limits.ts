/**
 * What a query may have at most. The page keeps to it too, so nothing here needs a library.
 *
 * @module
 */

/** Of a seed, in Unicode code points. */
export const SEED_CHARACTERS = 256;

/** Standard deviations that a move goes at most, there or back. */
export const STRENGTH = 4;

/** Moves in one list at most: along every direction of most generators, as the page's sliders go. */
export const LISTED_MOVES = 16;
