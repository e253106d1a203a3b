/** Haarlem. @module */
export {};
