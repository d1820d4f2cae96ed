/*
 * foreign_text.h
 *
 * Text that came from strangers, made safe for a text column: bytes that are
 * not valid in the database's encoding, and NUL, become '?'.
 */
#ifndef BB_FOREIGN_TEXT_H
#define BB_FOREIGN_TEXT_H

#include "postgres.h"

/* palloc'ed, terminated. */
extern char *bb_foreign_text(const uint8 *data, size_t len);

#endif
