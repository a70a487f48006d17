/*
 * worker/mef/shape.h - what a string's hash says of its shape.
 */
#ifndef SLUICE_WORKER_MEF_SHAPE_H
#define SLUICE_WORKER_MEF_SHAPE_H

/*
 * Kinds: one word in lower case or with a capital, letters, letters and
 * digits, mostly letters, else; times lengths in half octaves from 4 on.
 */
#define SHAPE_KINDS   5u
#define SHAPE_LENGTHS 9u
#define SHAPES        (SHAPE_KINDS * SHAPE_LENGTHS)
#define SHAPE_ROOM    64u /* values that the lowest bits of a hash hold */

#endif
