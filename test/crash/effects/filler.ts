/** The name of what takes up the space of a file system: not a part of the machine. */
export const FILLER = ".crash-filler";
